/** Which words the gate is about: findings overlap, and count code points. */

import type { Hit } from "@/core/types.ts";

/** Return the phrases of a text that any finding covers, each once, in the order of the text. */
export function phrases(text: string, hits: readonly Hit[]): string[] {
  const points = Array.from(text);
  const spans: [number, number][] = [];
  for (const { start, end } of [...hits].sort((a, b) => a.start - b.start)) {
    const last = spans.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else spans.push([start, end]);
  }
  return [...new Set(spans.map(([start, end]) => points.slice(start, end).join("")))].filter((phrase) => phrase !== "");
}
