import { afterEach, describe, expect, it, vi } from "vitest";

import { itemOf, type Frame } from "@/core/frames.ts";
import { Rest } from "@/core/rest.ts";

import { CONVERSATION, settled, signedIn } from "./platform.ts";

const URL = "/v1/images/01a22144-5810-7000-ade1-bcbd662d6f65/01a22144-59fb-7000-84ae-cdb20595f4f9";

describe("a message that is a picture", () => {
  const said = (d: Record<string, unknown>, kind = "image"): Frame => ({ t: "ev", id: "m9", position: [1, 9], type: "chat.message.v1", d: { kind, sender_kind: "buyer", d } });

  it.each([
    [{ url: URL }, { text: "", image: URL }],
    [{ url: URL, alt: "面单" }, { text: "面单", image: URL }],
  ])("has its address on the platform", (d, entry) => {
    expect(itemOf(said(d))).toMatchObject(entry);
  });

  it.each(["https://elsewhere.example/a.png", "/v1/orders/1", `${URL}/../..`, `${URL}?x=1`, "//elsewhere.example/v1/images/a/b"])("shows the address of %s as text, and asks nobody", (url) => {
    const item = itemOf(said({ url }));
    expect(item?.image).toBeUndefined();
    expect(item?.text).toBe(url);
  });

  it("is no picture because a text or a kind of later says so", () => {
    expect(itemOf(said({ text: URL }, "text"))).toMatchObject({ text: URL });
    expect(itemOf(said({ text: URL }, "text"))?.image).toBeUndefined();
    expect(itemOf(said({ clip: URL }, "video"))).toMatchObject({ text: "" });
  });
});

describe("a picture that is sent", () => {
  it("goes as its address, and takes no draft with it", async () => {
    const [made, line] = await signedIn(81);
    await made.outbox.draft(CONVERSATION, "还没写完");
    await made.outbox.send(CONVERSATION, "", "k-picture", false, undefined, URL);

    expect(line.sends).toMatchObject([{ id: "k-picture", kind: "image", d: { url: URL } }]);
    expect(made.state.outbox).toMatchObject([{ image: URL, text: "" }]);
    expect(made.state.drafts).toEqual({ [CONVERSATION]: "还没写完" });
  });

  it("stays where it is when it is refused, to be sent again", async () => {
    const [made, line] = await signedIn(82);
    await made.outbox.draft(CONVERSATION, "还没写完");
    await made.outbox.send(CONVERSATION, "", "k-picture", false, undefined, URL);
    line.tell({ t: "err", id: "k-picture", problem: { code: "no_seat" } });
    await settled();

    expect(made.state).toMatchObject({ outbox: [{ id: "k-picture", state: "failed", image: URL }], drafts: { [CONVERSATION]: "还没写完" }, refusals: {} });
    await made.outbox.retry("k-picture");
    expect(line.sends.at(-1)).toMatchObject({ kind: "image", d: { url: URL } });
    expect(made.state.outbox).toHaveLength(1);
  });
});

describe("a file over REST", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("goes as it is, and a picture comes as it is", async () => {
    const asked: RequestInit[] = [];
    vi.stubGlobal("fetch", (_path: string, request: RequestInit) => {
      asked.push(request);
      return Promise.resolve(new Response("bytes", { headers: { "Content-Type": "image/png" } }));
    });
    const given = new Blob(["bytes"], { type: "image/jpeg" });

    const answer = await new Rest(0).call("POST", "/v1/conversations/c/images", "t", given, { key: "once" });

    expect(asked[0]?.body).toBe(given);
    expect(asked[0]?.headers).toMatchObject({ "Content-Type": "image/jpeg", "Idempotency-Key": "once" });
    expect(await (answer as Blob).text()).toBe("bytes");
  });
});
