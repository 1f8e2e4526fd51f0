/** What a buyer presses on a card: first the deed, then his word of it. */

import { answerTo, idOf, keyOf, type Action, type Card } from "./cards.ts";
import type { How } from "./types.ts";

export type Press = (card: Card, message: string, action: Action, body?: object) => Promise<void>;

/** Rejects with a `Refusal`; pressed again it is the same command and the same message. */
export function presses(call: (path: string, body: object, how: How) => Promise<unknown>, say: (card: Card, id: string) => Promise<void>): Press {
  return async (card, message, action, body = {}) => {
    await call(action.route, body, { key: keyOf(message, action.id) });
    // Who gave stars is told of by his score, and waits for nobody.
    if (card.card !== "rating") await say(answerTo(card, message, action), idOf(message, action.id));
  };
}
