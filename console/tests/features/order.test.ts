import { expect, it } from "vitest";

import type { Conversation } from "@/core/types.ts";
import { frozen, inOrder, longestWaiting, orderOf } from "@/features/desk/order.ts";
import { Composing } from "@/ui/composing.ts";

function one(id: string, waitingSince: number | null, at = 0): Conversation {
  const item = { id: `m${id}`, position: [1, at] as const, at, type: "chat.message.v1", by: "agent" as const, senderId: "me", clientId: null, text: "" };
  return { id, buyer: id, buyerId: id, items: [item], last: null, waitingSince, isFirst: true, readUpTo: null, maySend: true, unread: 0, firstUnread: null, older: "none" };
}

it("puts who waits longest on top, then the latest answered", () => {
  const all = [one("old", null, 5), one("late", 200), one("new", null, 9), one("long", 100)];

  expect(inOrder(all).map((row) => row.id)).toEqual(["long", "late", "new", "old"]);
  expect(longestWaiting(all)?.id).toBe("long");
  expect(longestWaiting([one("a", null)])).toBeUndefined();
});

it("parts who waits from who was answered", () => {
  expect(orderOf([one("old", null, 5), one("late", 200), one("new", null, 9), one("long", 100)])).toEqual({ waiting: ["long", "late"], answered: ["new", "old"] });
});

it("moves no row under the pointer, not even into the other part", () => {
  const shown = { waiting: ["b", "a", "gone"], answered: ["c"] };
  const wanted = { waiting: ["c", "a", "fresh"], answered: ["b"] };

  expect(frozen(shown, wanted)).toEqual({ waiting: ["b", "a", "fresh"], answered: ["c"] });
});

it("leaves keys to an input method until shortly behind its end", () => {
  const composing = new Composing();
  const enter = (timeStamp: number, isComposing = false) => composing.owns({ timeStamp, isComposing });
  expect(enter(0)).toBe(false);

  composing.begin();
  expect(enter(10)).toBe(true);
  composing.end({ timeStamp: 20 });

  expect(enter(40)).toBe(true);
  expect(enter(51)).toBe(false);
  expect(enter(60, true)).toBe(true);
});
