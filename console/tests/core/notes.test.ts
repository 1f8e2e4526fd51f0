import { describe, expect, it } from "vitest";

import { SHOWN_MS } from "@/core/left.ts";
import type { Receiver } from "@/core/types.ts";

import { ASKED, CONVERSATION, signedIn, world } from "./platform.ts";

const COLLEAGUE: Receiver = { kind: "agent", id: "a2", name: "小李" };
const CLOSED = { t: "ev", s: "inbox", id: "e1", time: ASKED.time, type: "conversation.closed.v1", d: { conversation_id: CONVERSATION } } as const;

describe("the note of a transfer", () => {
  it("is kept through the end of the worker, beside the draft", async () => {
    const [made] = await signedIn(50);
    await made.outbox.note(CONVERSATION, "要改地址");
    await made.outbox.draft(CONVERSATION, "没写完");

    const [next] = await signedIn(50);

    expect([next.state.notes, next.state.drafts]).toEqual([{ [CONVERSATION]: "要改地址" }, { [CONVERSATION]: "没写完" }]);
  });

  it("is gone once the conversation was handed on, here and in the browser's database", async () => {
    const [made] = await signedIn(51);
    await made.outbox.note(CONVERSATION, "要改地址");

    await made.transfer(CONVERSATION, COLLEAGUE, "要改地址");

    expect(made.state.notes).toEqual({});
    const [next] = await signedIn(51);
    expect(next.state.notes).toEqual({});
  });

  it("stays where the transfer failed", async () => {
    const [made] = await signedIn(52);
    await made.outbox.note(CONVERSATION, "要改地址");
    world.isAway = true;

    await expect(made.transfer(CONVERSATION, COLLEAGUE, "要改地址")).rejects.toMatchObject({ status: 503 });

    expect(made.state.notes).toEqual({ [CONVERSATION]: "要改地址" });
  });

  it("keeps the row of a conversation that left, until it is dropped", async () => {
    const [made, line] = await signedIn(53);
    await made.outbox.note(CONVERSATION, "要改地址");
    line.tell(CLOSED);
    world.clock.advance(3 * SHOWN_MS);
    expect(Object.keys(made.state.left)).toEqual([CONVERSATION]);

    await made.outbox.note(CONVERSATION, "");
    world.clock.advance(SHOWN_MS);

    expect(made.state.left).toEqual({});
  });

  it("goes with everything that was typed when its person signs out", async () => {
    const [made] = await signedIn(54);
    await made.outbox.note(CONVERSATION, "要改地址");

    await made.signOut();
    await made.signIn("me", "p");

    expect(made.state.notes).toEqual({});
  });
});
