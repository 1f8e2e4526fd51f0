/** Which words the gate is about: findings overlap, and count code points. */

import type { Hit } from "@/core/types.ts";

/** Part of a text; `isFound` where any finding covers it. */
export interface Piece {
  text: string;
  isFound: boolean;
}

/** Cut a text where findings begin and end; the pieces together are the text. */
export function pieces(text: string, hits: readonly Hit[]): Piece[] {
  const points = Array.from(text);
  const cut: Piece[] = [];
  let at = 0;
  for (const [start, end] of spans(hits)) {
    cut.push({ text: points.slice(at, start).join(""), isFound: false }, { text: points.slice(start, end).join(""), isFound: true });
    at = end;
  }
  cut.push({ text: points.slice(at).join(""), isFound: false });
  return cut.filter((piece) => piece.text !== "");
}

/** Return the phrases of a text that any finding covers, each once, in the order of the text. */
export function phrases(text: string, hits: readonly Hit[]): string[] {
  return [...new Set(pieces(text, hits).flatMap((piece) => (piece.isFound ? piece.text : [])))];
}

/** Return where findings are, each place once. */
function spans(hits: readonly Hit[]): [number, number][] {
  const found: [number, number][] = [];
  for (const { start, end } of [...hits].sort((a, b) => a.start - b.start)) {
    const last = found.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else found.push([start, end]);
  }
  return found;
}
