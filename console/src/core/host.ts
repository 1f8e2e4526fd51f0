/**
 * Which worker of a slot owns session, socket and outbox: one leads, the others follow it and take over
 * when it dies, hangs or is of an older version. Pages notice nothing of it. Where the browser has a
 * SharedWorker there is mostly one; elsewhere each tab has its own. Knows ports, locks and channels; must
 * not know what is asked.
 */

import type { Clock } from "./clock.ts";
import { EMPTY, type State } from "./types.ts";
import type { Asked, Told } from "./worker.ts";

/** Changes are collected for so long and go out as one. */
const COLLECT_MS = 50;
const BEAT_MS = 2_000;
/** A leader who missed so many beats does not lead. Counted, for after a sleep the clock has jumped. */
const MISSED = 3;
/** A follower of whom nothing was heard for so long is gone. */
const SILENT_MS = 10_000;

export interface Port {
  postMessage(told: Told): void;
}

/** What a leader leads: the desk, as far as its pages reach it. */
export interface Served {
  readonly state: State;
  /** Answer what was asked; what goes wrong is part of the answer. */
  answer(asked: Asked): Promise<Told>;
  /** Let go of everything without ending the session: another goes on with it. */
  stop(): void;
}

/** What workers of one slot say to one another. */
export type Word = { from: string } & (
  | { t: "here" }
  | { t: "ask"; asked: Asked }
  | { t: "lead"; version: string; state?: State }
  | { t: "changed"; changed: Partial<State> }
  | { t: "told"; to: string; told: Told }
);

export interface Channel {
  postMessage(word: Word): void;
  onmessage: ((event: MessageEvent<Word>) => void) | null;
}

export type Locks = Pick<LockManager, "request">;

/** What a worker stands in. Without locks and a channel it leads alone. */
export interface Surroundings {
  clock: Clock;
  id: string;
  /** Names what this worker was built from. */
  version: string;
  lock: string;
  locks: Locks | null;
  channel: Channel | null;
  lead(show: (changed: Partial<State>) => void): Served;
}

/** What may be asked a second time where nobody knows whether it was done; the rest is told as failed. */
const REPEATABLE: readonly string[] = ["send", "sendCard", "discard", "draft", "dismiss", "note", "read", "older", "resume", "setState", "receivers", "signOut"];

/** Return what to ask in place of something that was not answered, or null where that might do it twice. */
export function repeated(asked: Asked): Asked | null {
  if (!REPEATABLE.includes(asked.name)) return null;
  return asked.name === "send" || asked.name === "sendCard" ? { ...asked, given: [...asked.given.slice(0, 3), true, ...asked.given.slice(4)] } : asked;
}

export const UNREACHABLE = { code: "unreachable", title: "The worker that was asked is gone." };

export class Host {
  private readonly ports = new Set<Port>();
  private readonly waiting = new Map<number, { port: Port; asked: Asked }>();
  /** Who follows, and when he was heard last. */
  private readonly followers = new Map<string, number>();
  private served: Served | null = null;
  private followed: State | null = null;
  private collected: Partial<State> | null = null;
  private sequence = 0;
  private missed = 0;
  private leader = "";
  /** Whether this worker never led, so that it was loaded after whoever leads. */
  private isFresh = true;
  /** Whether a newer version leads. */
  private isOld = false;
  private queued: AbortController | null = null;

  constructor(private readonly around: Surroundings) {}

  /** Begin; `isForced` takes the place of a leader who answers nobody. */
  start(isForced: boolean): void {
    const { channel, locks } = this.around;
    if (channel === null || locks === null) {
      void this.lead();
      return;
    }
    channel.onmessage = ({ data }) => this.heard(data, channel);
    this.request(isForced);
    this.say({ t: "here" });
    this.beat();
  }

  add(port: Port): void {
    this.ports.add(port);
    const state = this.served?.state ?? this.followed;
    if (state !== null) port.postMessage({ changed: state });
  }

  remove(port: Port): void {
    this.ports.delete(port);
  }

  ask(port: Port, asked: Asked): void {
    const id = (this.sequence += 1);
    this.waiting.set(id, { port, asked });
    this.pass(id);
  }

  private pass(id: number): void {
    const asked = this.waiting.get(id)?.asked;
    if (asked === undefined) return;
    const mine = { ...asked, id };
    if (this.served === null) this.say({ t: "ask", asked: mine });
    else void this.answer(mine, (told) => this.told(told));
  }

  private async answer(asked: Asked, tell: (told: Told) => void): Promise<void> {
    const { served } = this;
    const told = await served?.answer(asked);
    // Who was replaced meanwhile answers nothing: what he kept, his successor may not have seen.
    if (told === undefined || served !== this.served) return;
    // What the call changed is shown before it counts as done.
    this.flush();
    tell(told);
  }

  private told(told: Told): void {
    if (!("id" in told)) return;
    const one = this.waiting.get(told.id);
    this.waiting.delete(told.id);
    one?.port.postMessage({ ...told, id: one.asked.id });
  }

  // -- leading ------------------------------------------------------------------------------------

  private request(isForced: boolean): void {
    const { locks, lock } = this.around;
    this.queued?.abort();
    const queued = new AbortController();
    this.queued = queued;
    const how: LockOptions = isForced ? { steal: true } : { signal: queued.signal };
    locks?.request(lock, how, () => this.lead()).catch((error: unknown) => {
      if (queued !== this.queued) return;
      // A browser that keeps nothing gives nobody a lock: each worker leads its own pages.
      if (error instanceof DOMException && error.name === "SecurityError") void this.lead();
      else this.deposed();
    });
  }

  private lead(): Promise<never> {
    let leading: Served | null = null;
    const served = this.around.lead((changed) => (leading === this.served ? this.show(changed) : undefined));
    this.served = leading = served;
    const isTakingOver = this.followed?.session === "in";
    this.followed = null;
    this.isFresh = this.isOld = false;
    this.leader = this.around.id;
    this.say({ t: "lead", version: this.around.version, state: served.state });
    // What pages show goes on being shown while the session is taken up.
    this.tell(isTakingOver ? { connection: "connecting", connectionSince: this.around.clock.now() } : served.state);
    this.again();
    return new Promise(() => undefined);
  }

  /** Another took the lead: this worker hung, or is of an older version. */
  private deposed(): void {
    this.served?.stop();
    this.served = null;
    this.collected = null;
    this.followers.clear();
    this.missed = 0;
    this.leader = "";
    this.request(false);
    // What is not answered is asked again as soon as the other is heard.
    this.say({ t: "here" });
  }

  private again(): void {
    for (const [id, { asked }] of [...this.waiting]) {
      const next = repeated(asked);
      if (next === null) this.told({ id, problem: UNREACHABLE });
      else this.waiting.set(id, { ...(this.waiting.get(id) as { port: Port }), asked: next });
      this.pass(id);
    }
  }

  private beat(): void {
    const { clock, version } = this.around;
    clock.after(BEAT_MS, () => this.beat());
    if (this.served === null) {
      this.missed += 1;
      if (this.missed > MISSED) this.request(true);
      this.say({ t: "here" });
      return;
    }
    const now = clock.now();
    for (const [id, at] of this.followers) if (now - at > SILENT_MS) this.followers.delete(id);
    this.say({ t: "lead", version });
  }

  private show(changed: Partial<State>): void {
    if (this.collected === null) this.around.clock.after(COLLECT_MS, () => this.flush());
    this.collected = { ...this.collected, ...changed };
  }

  private flush(): void {
    const changed = this.collected;
    this.collected = null;
    if (changed === null) return;
    this.tell(changed);
    if (this.followers.size > 0) this.say({ t: "changed", changed });
  }

  private tell(changed: Partial<State>): void {
    for (const port of this.ports) port.postMessage({ changed });
  }

  // -- among workers ------------------------------------------------------------------------------

  private say(word: Word extends infer One ? (One extends Word ? Omit<One, "from"> : never) : never): void {
    this.around.channel?.postMessage({ ...word, from: this.around.id } as Word);
  }

  private heard(word: Word, channel: Channel): void {
    if (this.served === null) this.follows(word);
    else if (word.t === "here") this.greets(this.served, word.from);
    else if (word.t === "ask") void this.answer(word.asked, (told) => channel.postMessage({ t: "told", from: this.around.id, to: word.from, told }));
  }

  private greets(served: Served, follower: string): void {
    const isNew = !this.followers.has(follower);
    this.followers.set(follower, this.around.clock.now());
    if (isNew) this.say({ t: "lead", version: this.around.version, state: served.state });
  }

  private follows(word: Word): void {
    if (word.t === "told" && word.to === this.around.id) this.told(word.told);
    if (word.t === "lead") this.led(word);
    if (word.t === "changed" && this.followed !== null) this.take(word.changed);
  }

  private led(word: { from: string; version: string; state?: State }): void {
    this.missed = 0;
    if (word.state === undefined) return;
    const isAnother = word.from !== this.leader;
    this.leader = word.from;
    this.isOld = word.version !== this.around.version;
    const { session, connection, connectionSince } = word.state;
    const isTakingOver = session === "unknown" && this.followed !== null;
    this.take(isTakingOver ? { connection, connectionSince } : { ...EMPTY, ...word.state });
    // Who was loaded later is the newer one: it leads, and older pages are told that they are.
    if (this.isOld && this.isFresh) this.request(true);
    else if (isAnother) this.again();
    this.isFresh = false;
  }

  private take(changed: Partial<State>): void {
    const shown = this.isOld ? { ...changed, stale: true } : changed;
    this.followed = { ...(this.followed ?? EMPTY), ...shown };
    this.tell(shown);
  }
}
