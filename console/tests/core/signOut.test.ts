import { describe, expect, it } from "vitest";

import { CONVERSATION, Line, desk, settled, signedIn, world } from "./platform.ts";

/** Let the tries that are due be made. */
async function later(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    world.clock.advance(2_000);
    await settled();
  }
}

describe("who signs out while the platform is away", () => {
  it("is signed out here at once, with nothing left of the words", async () => {
    const [made, line] = await signedIn(40);
    await made.outbox.draft(CONVERSATION, "没写完");
    world.isAway = true;

    await made.signOut();

    expect(made.state).toMatchObject({ session: "out", me: null, drafts: {}, conversations: {}, isLeaving: true });
    expect(line.isClosed).toBe(true);
    world.isAway = false;
    await later();
    const next = desk(40);
    await next.start();
    await next.signIn("me", "p");
    expect(next.state).toMatchObject({ session: "in", drafts: {} });
  });

  it("has the session ended as soon as the platform answers", async () => {
    const [made] = await signedIn(41);
    world.isAway = true;
    await made.signOut();
    await later();
    expect(world.hasSession).toBe(true);

    world.isAway = false;
    await later();

    expect(world.hasSession).toBe(false);
    expect(made.state).toMatchObject({ session: "out", isLeaving: false });
  });

  it("is not signed in by the cookie when the pages are opened again, and has the session ended by them", async () => {
    const [made] = await signedIn(42);
    world.isAway = true;
    await made.signOut();
    made.stop();

    const again = desk(42);
    await again.start();
    expect(again.state).toMatchObject({ session: "out", isLeaving: true });
    world.isAway = false;
    await later();

    expect(world.hasSession).toBe(false);
    expect(again.state).toMatchObject({ session: "out", isLeaving: false });
    const third = desk(42);
    await third.start();
    expect(third.state.session).toBe("out");
  });

  it("leaves the slot to the next person, whose session is his own and stays", async () => {
    const [made] = await signedIn(43);
    world.isAway = true;
    await made.signOut();
    await expect(made.signIn("other", "p")).rejects.toMatchObject({ status: 503 });
    expect(made.state.session).toBe("out");

    world.isAway = false;
    world.person = "other";
    await made.signIn("other", "p");
    await later();

    expect(made.state).toMatchObject({ session: "in", me: { id: "other" }, isLeaving: false });
    expect(world.hasSession).toBe(true);
    expect(Line.all.at(-1)?.isClosed).toBe(false);
  });

  it("is signed out although the browser's database fails", async () => {
    const [made] = await signedIn(44);
    made.outbox.database?.close();

    await made.signOut();

    expect(made.state.session).toBe("out");
    expect(world.hasSession).toBe(false);
  });
});
