import { beforeEach, describe, expect, it, vi } from "vitest";

import { Host, type Channel, type Locks, type Served, type Word } from "@/core/host.ts";
import { EMPTY, type State } from "@/core/types.ts";
import type { Asked, Told } from "@/core/worker.ts";

import { ManualClock } from "./time.ts";

/** The browser's locks, as one origin has them. */
class FakeLocks {
  private readonly waiting: (() => void)[] = [];
  private holder: ((error: Error) => void) | null = null;

  readonly request = ((_name: string, how: LockOptions, granted: () => Promise<unknown>) =>
    new Promise((_resolve, reject) => {
      const take = () => {
        this.holder = reject;
        void granted();
      };
      how.signal?.addEventListener("abort", () => {
        this.waiting.splice(this.waiting.indexOf(take) >>> 0, 1);
        reject(new Error("aborted"));
      });
      if (how.steal) {
        this.holder?.(new Error("stolen"));
        take();
      } else if (this.holder === null) take();
      else this.waiting.push(take);
    })) as unknown as Locks["request"];

  /** The holder's tab was closed. */
  release(): void {
    this.holder = null;
    this.waiting.shift()?.();
  }
}

/** All channels of one name; what is said reaches the others at once. */
class Air {
  private readonly channels: (Channel & { isDead: boolean })[] = [];

  channel(): Channel & { isDead: boolean } {
    const made = {
      isDead: false,
      onmessage: null as Channel["onmessage"],
      postMessage: (word: Word) => {
        if (!made.isDead) for (const other of this.channels) if (other !== made && !other.isDead) other.onmessage?.({ data: structuredClone(word) } as MessageEvent<Word>);
      },
    };
    this.channels.push(made);
    return made;
  }
}

/** One worker with one page, and a desk that answers when it is told to. */
class Tab {
  state: State = EMPTY;
  readonly answers: Told[] = [];
  readonly asked: Asked[] = [];
  led = 0;
  stopped = 0;
  show: (changed: Partial<State>) => void = () => undefined;
  readonly channel = air.channel();
  readonly host: Host;
  private readonly open: (() => void)[] = [];
  private readonly port = { postMessage: (told: Told) => this.hear(told) };
  private clock = new ManualClock();

  constructor(id: string, version = "1", isForced = false) {
    this.host = new Host({ clock: this.clock, id, version, lock: "peakdesk-0", locks, channel: this.channel, lead: (show) => this.lead(show) });
    this.host.start(isForced);
    this.host.add(this.port);
    tabs.push(this);
  }

  ask(name: Asked["name"], ...given: unknown[]): void {
    this.host.ask(this.port, { id: 7, name, given });
  }

  async answer(): Promise<void> {
    for (const go of this.open.splice(0)) go();
    await turns();
  }

  advance(ms: number): void {
    if (!this.channel.isDead) this.clock.advance(ms);
  }

  /** It does nothing any more; its lock is released by whoever says so. */
  die(): void {
    this.channel.isDead = true;
  }

  private lead(show: (changed: Partial<State>) => void): Served {
    this.led += 1;
    this.show = show;
    return {
      state: { ...EMPTY, session: "in", me: { id: "me", name: "小陈", role: "agent", shopId: "s", state: null } },
      answer: async (asked) => {
        this.asked.push(asked);
        await new Promise<void>((resolve) => this.open.push(resolve));
        return { id: asked.id, value: `by ${this.led}` };
      },
      stop: () => (this.stopped += 1),
    };
  }

  private hear(told: Told): void {
    if ("changed" in told) this.state = { ...this.state, ...told.changed };
    else this.answers.push(told);
  }
}

let locks: FakeLocks;
let air: Air;
let tabs: Tab[];

const turns = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

/** Let time pass for all, a little at a time. */
async function pass(ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 500) {
    for (const tab of tabs) tab.advance(500);
    await turns();
  }
}

beforeEach(() => {
  locks = new FakeLocks();
  air = new Air();
  tabs = [];
});

describe("workers of one slot", () => {
  it("have one who leads, and the others show what he knows", async () => {
    const first = new Tab("a");
    const second = new Tab("b");
    await pass(500);

    first.show({ drafts: { c: "没写完" } });
    await pass(500);

    expect([first.led, second.led]).toEqual([1, 0]);
    expect(second.state).toMatchObject({ session: "in", me: { id: "me" }, drafts: { c: "没写完" } });
  });

  it("pass on what their page asks, and what comes of it", async () => {
    const first = new Tab("a");
    const second = new Tab("b");

    second.ask("receivers");
    await first.answer();

    expect(second.answers).toEqual([{ id: 7, value: "by 1" }]);
    expect(first.answers).toEqual([]);
  });

  it("take over when the leader's tab is closed, and what was not answered is asked again, marked", async () => {
    const first = new Tab("a");
    const second = new Tab("b");
    second.ask("send", "c", "在的", "m1");
    expect(first.asked).toHaveLength(1);

    first.die();
    locks.release();
    await turns();

    expect(second.led).toBe(1);
    expect(second.asked.map((asked) => asked.given)).toEqual([["c", "在的", "m1", true]]);
    await second.answer();
    expect(second.answers).toEqual([{ id: 7, value: "by 1" }]);
    expect(second.state.session).toBe("in");
  });

  it("say that it failed where asking again might do it twice", async () => {
    const first = new Tab("a");
    const second = new Tab("b");
    second.ask("transfer", "c", {}, "note");

    first.die();
    locks.release();
    await turns();

    expect(second.asked).toEqual([]);
    expect(second.answers).toMatchObject([{ id: 7, problem: { code: "unreachable" } }]);
  });

  it("take the lead from one who is silent, and he follows when he wakes", async () => {
    const first = new Tab("a");
    const second = new Tab("b");
    await pass(2_000);
    first.die();
    await pass(10_000);
    expect(second.led).toBe(1);
    expect(first.stopped).toBe(1);

    first.channel.isDead = false;
    await pass(3_000);
    second.show({ drafts: { c: "新的" } });
    await pass(1_000);

    expect([first.led, second.led]).toEqual([1, 1]);
    expect(first.state.drafts).toEqual({ c: "新的" });
  });

  it("leave a leader alone who is heard", async () => {
    const first = new Tab("a");
    const second = new Tab("b");

    await pass(120_000);

    expect([first.led, first.stopped, second.led]).toEqual([1, 0, 0]);
  });

  it("give way to one that was begun beside a hung one, and answer nothing they were asked before", async () => {
    const first = new Tab("a");
    first.ask("send", "c", "在的", "m1");

    const second = new Tab("b", "1", true);
    await turns();
    await first.answer();

    expect([first.stopped, second.led]).toEqual([1, 1]);
    expect(first.answers).toEqual([]);
    expect(second.asked.map((asked) => asked.given)).toEqual([["c", "在的", "m1", true]]);
    await second.answer();
    expect(first.answers).toEqual([{ id: 7, value: "by 1" }]);
  });

  it("give way to a newer version, and tell their pages that they are old", async () => {
    const old = new Tab("a", "1");
    const fresh = new Tab("b", "2");
    await pass(5_000);

    expect([old.stopped, fresh.led]).toEqual([1, 1]);
    expect([old.state.stale, fresh.state.stale]).toEqual([true, false]);
    fresh.show({ stale: false, drafts: { c: "新的" } });
    await pass(1_000);
    expect(old.state).toMatchObject({ stale: true, drafts: { c: "新的" } });

    await pass(30_000);
    expect([old.led, fresh.led]).toEqual([1, 1]);
  });

  it("show nothing of what a deposed desk still says", async () => {
    const first = new Tab("a");
    new Tab("b", "1", true);
    await turns();

    first.show({ drafts: { c: "旧的" } });
    await pass(1_000);

    expect(first.state.drafts).toEqual({});
  });

  it("lead alone where the browser gives nobody a lock", async () => {
    const request = vi.fn(() => Promise.reject(new DOMException("Storage is blocked.", "SecurityError")));
    locks = { request } as unknown as FakeLocks;
    const tab = new Tab("a");
    await pass(60_000);

    expect([tab.led, tab.state.session]).toEqual([1, "in"]);
    expect(request).toHaveBeenCalledOnce();
  });

  it("lead alone where the browser has no locks", () => {
    const told: Told[] = [];
    const lead = (): Served => ({ state: { ...EMPTY, session: "out" }, answer: (asked) => Promise.resolve({ id: asked.id }), stop: () => undefined });
    const host = new Host({ clock: new ManualClock(), id: "a", version: "1", lock: "l", locks: null, channel: null, lead });
    host.add({ postMessage: (one) => told.push(one) });

    host.start(false);

    expect(told).toMatchObject([{ changed: { session: "out" } }]);
  });
});
