/** Which words the gate is about, whose findings overlap and count code points; and what stands for a name. */

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

/** Put words that came back before what is typed by now, of which they may have the beginning at their end already. */
export function rejoined(back: string, typed: string): string {
  for (let length = typed.length; length > 0; length -= 1) {
    if (back.endsWith(`\n${typed.slice(0, length)}`)) return back + typed.slice(length);
  }
  return typed === "" || typed === back ? back : `${back}\n${typed}`;
}

/** What tells one buyer without a name from another: the end of an id, which differs where its beginning is a time. */
export function markOf(buyerId: string): string {
  return buyerId.slice(-4).toUpperCase();
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
