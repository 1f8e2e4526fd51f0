import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { CONVERSATION, Line, desk, settled, signedIn, world } from "./platform.ts";

const refused = () => {
  throw new DOMException("Storage is blocked.", "SecurityError");
};

describe("a desk in a browser that keeps nothing", () => {
  beforeEach(() => vi.stubGlobal("indexedDB", { open: refused }));
  afterEach(() => vi.unstubAllGlobals());

  it("lets its person sign in, says that it remembers nothing, and works", async () => {
    world.hasSession = false;
    const made = desk(90);
    await made.start();
    expect(made.state.session).toBe("out");
    await made.signIn("me", "p");
    const line = Line.all.at(-1) as Line;
    line.greet();
    await made.outbox.draft(CONVERSATION, "没写完");
    await made.outbox.note(CONVERSATION, "要改地址");
    expect(made.state).toMatchObject({ session: "in", remembers: false, drafts: { [CONVERSATION]: "没写完" }, unkept: { [CONVERSATION]: "failed" } });

    await made.outbox.send(CONVERSATION, "没写完");

    expect(line.sends.map((frame) => frame.d)).toEqual([{ text: "没写完" }]);
    expect(made.state).toMatchObject({ drafts: {}, unkept: {} });
  });

  it("works where there is a database that cannot be read, too", async () => {
    vi.unstubAllGlobals();
    const { Database } = await import("@/core/database.ts");
    vi.spyOn(Database.prototype, "read").mockRejectedValueOnce(new DOMException("broken", "UnknownError"));
    vi.stubGlobal("fetch", () => new Response(JSON.stringify({ token: "t", expires_at: "2099-01-01T00:00:00Z", person: { id: "me", role: "agent", shop_id: "s", name: "小陈" } })));
    const made = desk(91);

    await made.start();

    expect(made.state).toMatchObject({ session: "in", remembers: false });
  });

  it("signs out here and there", async () => {
    const [made] = await signedIn(92);

    await made.signOut();
    await settled();

    expect(made.state).toMatchObject({ session: "out", isLeaving: false });
    expect(world.hasSession).toBe(false);
  });

  it("owes a sign-out as long as it lives", async () => {
    const [made] = await signedIn(93);
    world.isAway = true;
    await made.signOut();
    await settled();
    expect(made.state).toMatchObject({ session: "out", isLeaving: true });

    world.isAway = false;
    world.clock.advance(2_000);
    await settled();

    expect(world.hasSession).toBe(false);
  });
});

describe("what a page remembers where storage is blocked", () => {
  beforeEach(() => {
    vi.resetModules();
    for (const name of ["localStorage", "sessionStorage"]) vi.stubGlobal(name, { getItem: refused, setItem: refused });
  });
  afterEach(() => vi.unstubAllGlobals());

  it("lasts as long as the page", async () => {
    const { ofBrowser, ofTab } = await import("@/core/storage.ts");
    ofTab.set("slot", "3");

    expect([ofTab.get("slot"), ofBrowser.get("slot")]).toEqual(["3", null]);
  });

  it("is its slot, and the theme that was chosen", async () => {
    vi.doMock("@/core/worker.ts?sharedworker&url", () => ({ default: "worker.js" }));
    const { slotOfTab, useSlot } = await import("@/core/page.ts");
    const { chooseTheme, theme } = await import("@/preferences.ts");

    useSlot(2);
    chooseTheme("dark");

    expect([slotOfTab(), theme.value]).toEqual([2, "dark"]);
  });
});
