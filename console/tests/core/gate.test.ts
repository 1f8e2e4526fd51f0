import { beforeEach, describe, expect, it } from "vitest";

import type { Outgoing } from "@/core/frames.ts";
import { Outbox } from "@/core/outbox.ts";
import { Store } from "@/core/store.ts";
import { Streams } from "@/core/streams.ts";

import { ManualClock } from "./time.ts";

const HITS = [{ category: "attitude", start: 0, end: 4, surface: "爱买不买" }];
const ID = "0190-c";

let store: Store;
let outbox: Outbox;
let streams: Streams;
let heard: Outgoing[];

const sends = () => heard.filter((frame) => frame.t === "send");
const ask = (id: unknown) => streams.heard({ t: "err", id: id as string, problem: { code: "confirm", hits: HITS, confirm: "signed", incident_id: "i1" } });

beforeEach(() => {
  const clock = new ManualClock();
  heard = [];
  store = new Store(() => undefined);
  outbox = new Outbox(store, clock, (id) => streams.follow(`conv:${id}`, { heard: () => undefined }), () => streams.all());
  streams = new Streams((frame) => heard.push(frame), clock, outbox);
  streams.follow(`conv:${ID}`, { heard: () => undefined });
  streams.connected();
  streams.heard({ t: "ok", id: heard[0]?.id as string, d: {} });
});

describe("what the gate asks about", () => {
  it("is sent when it is meant: the same words under the same id, with the signature", async () => {
    await outbox.send(ID, "爱买不买");
    ask(sends()[0]?.id);
    expect(store.state.drafts[ID]).toBe("爱买不买");
    expect(store.state.outbox).toEqual([]);

    await outbox.confirm(ID, "买家问的");

    const [first, meant] = sends();
    expect(meant).toEqual({ ...first, confirm: "signed", reason: "买家问的" });
    expect(store.state.refusals).toEqual({});
    expect(store.state.drafts).toEqual({});
    streams.heard({ t: "ok", id: meant?.id as string, d: { client_id: meant?.id, warnings: HITS } });
    expect(sends()).toHaveLength(2);
  });

  it("takes its reason along when it comes again", async () => {
    await outbox.send(ID, "爱买不买");
    ask(sends()[0]?.id);
    await outbox.confirm(ID, "买家问的");

    streams.cut(4000);
    streams.connected();
    streams.heard({ t: "ok", id: heard.filter((frame) => frame.t === "sub").at(-1)?.id as string, d: {} });

    expect(sends().at(-1)).toMatchObject({ again: true, confirm: "signed", reason: "买家问的" });
  });

  it("goes without its reason to a gateway of yesterday, which would refuse the frame", async () => {
    await outbox.send(ID, "爱买不买");
    streams.heard({ t: "err", id: sends()[0]?.id as string, problem: { code: "confirm", hits: HITS, confirm: "signed" } });

    await outbox.confirm(ID, "买家问的");

    expect(sends()[1]).toEqual({ ...sends()[0], confirm: "signed" });
  });

  it("is meant once, however often that is said", async () => {
    await outbox.send(ID, "爱买不买");
    ask(sends()[0]?.id);

    await Promise.all([outbox.confirm(ID, "一"), outbox.confirm(ID, "二")]);

    expect(sends()).toHaveLength(2);
  });

  it("is judged anew where other words were typed behind it", async () => {
    await outbox.send(ID, "爱买不买");
    await outbox.draft(ID, "后来的话");
    ask(sends()[0]?.id);
    expect(store.state.refusals[ID]).toEqual({ code: "confirm", text: "爱买不买\n后来的话", hits: HITS, id: sends()[0]?.id, incident: "i1" });

    await outbox.confirm(ID, "买家问的");

    expect(sends()).toHaveLength(1);
    expect(store.state.drafts[ID]).toBe("爱买不买\n后来的话");
  });
});

describe("what the gate lets pass with a word about it", () => {
  it("is remembered by the message's id, though its event came before the answer", async () => {
    await outbox.send(ID, "爱买不买");
    const [sent] = sends();
    store.change({ me: { id: "me", name: "", role: "agent", shopId: "", state: null } });
    outbox.arrived({ t: "ev", id: "m1", d: { sender_id: "me", client_id: sent?.id } });

    streams.heard({ t: "ok", id: sent?.id as string, d: { client_id: sent?.id, warnings: HITS } });

    expect(store.state.warned).toEqual({ [sent?.id as string]: HITS });
  });

  it("is remembered of the latest only", () => {
    for (let number = 0; number < 250; number += 1) outbox.warned(`c${number}`, HITS);

    expect(Object.keys(store.state.warned)).toHaveLength(200);
    expect(Object.keys(store.state.warned).at(-1)).toBe("c249");
  });
});
