/**
 * One person's desk in the worker: session, socket, streams, outbox and drafts, and what pages see of
 * it. Knows frames and REST; must not know pages, Vue or the DOM.
 */

import type { Clock } from "./clock.ts";
import { Connection, type Dial } from "./connection.ts";
import { Database } from "./database.ts";
import { levelsOf } from "./facts.ts";
import type { Frame, Outgoing } from "./frames.ts";
import { Outbox } from "./outbox.ts";
import { Rest, Refusal, type Signed } from "./rest.ts";
import { Store, without } from "./store.ts";
import { Stream } from "./stream.ts";
import { described, ownership, readUpTo, withItems, type Described } from "./threads.ts";
import { EMPTY, type AgentState, type Position, type State } from "./types.ts";

const LOST_AFTER_MS = 1_500;
const RENEW_BEFORE_MS = 60_000;
const RETRY_MS = 2_000;
/** Close code: a position that was never given out. Coming back with it would end the same way. */
const BAD_POSITION = 4004;
const INBOX = "inbox";
/** A `sub` refused by one of these will always be; any other refusal passes. */
const HOPELESS = ["forbidden", "not_found", "bad_stream"];
/** Conversations whose version is remembered: more than a day's. */
const VERSIONS = 4_096;
/** Somebody else may set one's state, and no stream tells so. */
const LOOK_EVERY_MS = 15_000;

export class Desk {
  readonly outbox: Outbox;
  private readonly store: Store;
  private readonly rest: Rest;
  private token = "";
  private connection: Connection | null = null;
  private streams = new Map<string, Stream>();
  private asked = new Map<string, Stream>();
  /** The newest version by which it was judged whose a conversation is. */
  private versions = new Map<string, number>();
  private sequence = 0;
  private cancelLost: (() => void) | null = null;
  private cancelRenewal: (() => void) | null = null;
  private cancelLook: (() => void) | null = null;
  private renewal: Promise<string> | null = null;
  /** Whether this connection's gateway was asked what the shop's levels are, and answered. */
  private hasFacts = false;

  constructor(
    private readonly slot: number,
    private readonly dial: Dial,
    private readonly clock: Clock,
    show: (changed: Partial<State>) => void,
    private readonly instance: string,
  ) {
    this.rest = new Rest(slot);
    this.store = new Store(show);
    this.outbox = new Outbox(this.store, clock, (conversation) => this.streamOf(conversation), () => this.streams.values());
  }

  get state(): State {
    return this.store.state;
  }

  /** Go on with the session that the slot's cookie holds, if there is one. */
  async start(): Promise<void> {
    try {
      await this.enter(await this.refreshed(() => this.state.session === "unknown"));
    } catch {
      if (this.state.session === "unknown") this.store.change({ session: "out" });
    }
  }

  async signIn(login: string, password: string): Promise<void> {
    await this.enter(await this.rest.signIn(login, password));
  }

  /** End this session alone; what was typed is dropped with it. */
  async signOut(): Promise<void> {
    await this.rest.signOut().catch(() => undefined);
    await this.outbox.database?.clear();
    this.leave(null);
  }

  async setState(state: AgentState): Promise<void> {
    const answer = (await this.call("PUT", "/v1/agents/me/state", { state })) as { state: AgentState };
    if (this.state.me !== null) this.store.change({ me: { ...this.state.me, state: answer.state } });
  }

  async read(conversation: string): Promise<void> {
    const last = this.state.conversations[conversation]?.items.at(-1);
    if (last !== undefined) this.write({ t: "read", s: `conv:${conversation}`, position: last.position });
  }

  // -- session ------------------------------------------------------------------------------------

  private async enter(signed: Signed): Promise<void> {
    const { id, name, role, shop_id: shopId } = signed.person;
    if (this.state.me !== null && this.state.me.id !== id) this.leave(null);
    this.hold(signed);
    const me = { id, name, role, shopId, state: null };
    this.outbox.database?.close();
    this.outbox.database = await Database.of(this.slot, id);
    const kept = await this.outbox.database.read();
    this.store.change({ ...EMPTY, session: "in", me, connectionSince: this.clock.now(), drafts: kept.drafts, outbox: kept.outbox, levels: kept.levels });
    this.forgetAll();
    this.connection = new Connection(this.dial, this.clock, this.ears(), this.token, this.instance);
    this.stream(INBOX);
    this.outbox.resume(kept.outbox);
    this.soonLost();
    this.connection.open();
    this.look();
  }

  /** Let go of the connection and what came by it: two of one worker would end one another. */
  private forgetAll(): void {
    this.connection?.stop();
    this.connection = null;
    this.streams.clear();
    this.asked.clear();
    this.versions.clear();
  }

  private leave(ended: number | null): void {
    this.forgetAll();
    this.cancelRenewal?.();
    this.cancelLost?.();
    this.cancelLook?.();
    this.outbox.database?.close();
    this.hasFacts = false;
    this.outbox.database = this.cancelRenewal = this.cancelLost = this.cancelLook = null;
    this.token = "";
    this.store.change({ ...EMPTY, session: "out", ended });
  }

  private hold(signed: Signed): void {
    this.token = signed.token;
    this.cancelRenewal?.();
    const wait = Date.parse(signed.expires_at) - this.clock.now() - RENEW_BEFORE_MS;
    this.cancelRenewal = this.clock.after(Math.max(wait, RETRY_MS), () => void this.renew().catch(() => undefined));
  }

  /** Fetch the next token, once for all who ask meanwhile. */
  private renew(): Promise<string> {
    this.renewal ??= this.renewed().finally(() => (this.renewal = null));
    return this.renewal;
  }

  /** Another person in this slot is an end, never a change. */
  private async renewed(): Promise<string> {
    const me = this.state.me?.id;
    const signed = await this.refreshed(() => this.state.me?.id === me);
    if (signed.person.id !== me) {
      this.leave(null);
      throw new Refusal("another_person", "Somebody else signed in here.", 401);
    }
    this.hold(signed);
    this.connection?.fresh(signed.token);
    return signed.token;
  }

  /** Refresh the session, however long the platform is away: only its refusal ends one. */
  private async refreshed(isWanted: () => boolean): Promise<Signed> {
    for (;;) {
      try {
        return await this.rest.refresh();
      } catch (error) {
        if (!isAway(error) || !isWanted()) throw error;
      }
      await new Promise<void>((resolve) => this.clock.after(RETRY_MS * (0.5 + this.clock.random()), resolve));
      if (!isWanted()) throw new Refusal("unauthorized", "The session ended meanwhile.", 401);
    }
  }

  /** Look now and every so often, a little apart from everybody else. */
  private look(): void {
    this.cancelLook?.();
    this.cancelLook = this.clock.after(LOOK_EVERY_MS * (0.8 + 0.4 * this.clock.random()), () => this.look());
    void this.ownState();
    if (!this.hasFacts) void this.facts();
  }

  /** Ask what the shop's levels are; while nobody answers, the last ones hold. */
  private async facts(): Promise<void> {
    const me = this.state.me?.id;
    const levels = await this.call("GET", "/v1/console").then(levelsOf).catch(() => undefined);
    if (levels === undefined || this.state.me?.id !== me) return;
    this.hasFacts = true;
    this.store.change({ levels });
    // A database that just closed, or is full, costs the next start its colours and nothing else.
    await this.outbox.database?.levels(levels).catch(() => undefined);
  }

  private async ownState(): Promise<void> {
    const found = (await this.call("GET", "/v1/me").catch(() => null)) as { state?: AgentState } | null;
    if (this.state.me !== null && found?.state) this.store.change({ me: { ...this.state.me, state: found.state } });
  }

  call(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.rest.call(method, path, this.token, body);
  }

  // -- streams ------------------------------------------------------------------------------------

  private ears() {
    return {
      ready: (frame: Frame) => this.connected(frame),
      frame: (frame: Frame) => this.heard(frame),
      lost: (code: number) => this.cut(code),
      renew: () => this.renew(),
      over: (code: number) => this.leave(code),
    };
  }

  private connected(frame: Frame): void {
    this.cancelLost?.();
    this.cancelLost = null;
    const now = this.clock.now();
    const server = Date.parse(frame.server_time ?? "");
    this.store.change({ connection: "connected", connectionSince: now, ...(Number.isNaN(server) ? {} : { clockOffset: server - now }) });
    for (const stream of this.streams.values()) this.join(stream);
  }

  private cut(code: number): void {
    this.hasFacts = false;
    this.asked.clear();
    for (const stream of this.streams.values()) {
      stream.cut();
      if (code === BAD_POSITION) stream.position = null;
    }
    if (this.state.connection !== "connected") return;
    this.store.change({ connection: "connecting", connectionSince: this.clock.now() });
    this.soonLost();
  }

  private soonLost(): void {
    this.cancelLost?.();
    this.cancelLost = this.clock.after(LOST_AFTER_MS, () => this.store.change({ connection: "lost" }));
  }

  private stream(name: string): Stream {
    const known = this.streams.get(name);
    if (known !== undefined) return known;
    const made = new Stream(name, (frame) => this.write(frame), this.clock, this.outbox);
    this.streams.set(name, made);
    if (this.state.connection === "connected") this.join(made);
    return made;
  }

  private streamOf(conversation: string): Stream {
    return this.stream(`conv:${conversation}`);
  }

  private join(stream: Stream): void {
    for (const [earlier, one] of this.asked) if (one === stream) this.asked.delete(earlier);
    const id = this.nextId();
    this.asked.set(id, stream);
    this.write({ ...stream.subscribeFrame(), id });
  }

  /** A second `sub` would be refused as long as the first stands. */
  private leaveStream(name: string): void {
    this.write({ t: "unsub", id: this.nextId(), s: name });
  }

  private nextId(): string {
    return `r${(this.sequence += 1)}`;
  }

  private write(frame: Outgoing): void {
    this.connection?.write(frame);
  }

  private heard(frame: Frame): void {
    const stream = this.streams.get(frame.s ?? "");
    if (frame.t === "ok" || frame.t === "err") this.answered(frame);
    else if (stream === undefined) return;
    else if (frame.t === "resync") this.again(stream);
    else if (stream.name === INBOX) this.inbox(frame);
    else this.conversation(stream, frame);
  }

  private answered(frame: Frame): void {
    const stream = this.asked.get(frame.id ?? "");
    if (stream === undefined) {
      for (const one of this.streams.values()) if (one.answered(frame)) return;
      return;
    }
    this.asked.delete(frame.id ?? "");
    const code = frame.problem?.code;
    if (frame.t === "ok") {
      this.store.patch(idOf(stream), { maySend: frame.d?.may_send === true });
      stream.joined();
    } else if (code === "already_subscribed") {
      this.leaveStream(stream.name);
      this.again(stream);
    } else if (HOPELESS.includes(code ?? "")) {
      this.forget(idOf(stream));
    } else {
      this.clock.after(frame.problem?.retry_after_ms ?? RETRY_MS, () => this.joinLate(stream));
    }
  }

  /** Ask again for a stream, unless a new connection did so meanwhile, or nobody wants it any more. */
  private joinLate(stream: Stream): void {
    const isAsked = [...this.asked.values()].includes(stream);
    if (this.streams.get(stream.name) === stream && !stream.live && !isAsked && this.state.connection === "connected") this.join(stream);
  }

  private again(stream: Stream): void {
    stream.position = null;
    stream.live = false;
    this.join(stream);
  }

  private inbox(frame: Frame): void {
    const me = this.state.me?.id ?? "";
    if (frame.t === "snap") {
      const rows = ((frame.d?.conversations ?? []) as Described[]).filter((one) => one.agent_id === me && one.state !== "closed");
      const gone = Object.keys(this.state.conversations).filter((id) => !rows.some((one) => one.id === id));
      const conversations = { ...this.state.conversations };
      const come = rows.filter((one) => conversations[one.id] === undefined);
      for (const row of rows) conversations[row.id] = described(conversations[row.id], row);
      this.store.change({ conversations });
      for (const row of rows) this.isNewer(row.id, row.version);
      for (const id of gone) this.forget(id);
      for (const row of come) this.follow(row.id);
    } else if (frame.t === "ev") {
      this.owned(frame);
    }
  }

  private owned(frame: Frame): void {
    const id = String(frame.d?.conversation_id ?? "");
    const mine = ownership(frame, this.state.me?.id ?? "");
    if (mine === null || !this.isNewer(id, frame.d?.version)) return;
    if (mine === true && this.state.conversations[id] === undefined) {
      this.store.change({ conversations: { ...this.state.conversations, [id]: described(undefined, { id }) } });
      this.follow(id);
      this.look();
    } else if (mine === false) {
      this.forget(id);
    }
  }

  /** A resumed stream tells what happened before the inbox said how things stand: that is over. */
  private isNewer(id: string, version: unknown): boolean {
    if (typeof version !== "number") return true;
    if (version <= (this.versions.get(id) ?? -1)) return false;
    this.versions.delete(id);
    this.versions.set(id, version);
    if (this.versions.size > VERSIONS) this.versions.delete(this.versions.keys().next().value as string);
    return true;
  }

  /** Follow a conversation that became one's own: whatever is known of its stream, it begins with a snapshot. */
  private follow(id: string): void {
    const known = this.streams.get(`conv:${id}`);
    if (known === undefined) {
      this.streamOf(id);
      return;
    }
    this.leaveStream(known.name);
    this.again(known);
  }

  private forget(id: string): void {
    if (this.state.conversations[id] !== undefined) this.store.change({ conversations: without(this.state.conversations, id) });
    if (this.state.outbox.some((one) => one.conversation === id) || !this.streams.delete(`conv:${id}`)) return;
    this.leaveStream(`conv:${id}`);
  }

  private conversation(stream: Stream, frame: Frame): void {
    const known = this.state.conversations[idOf(stream)];
    if (frame.t === "snap") {
      const items = (frame.d?.items ?? []) as Frame[];
      for (const item of items) stream.isNew(item);
      stream.advance(frame.position);
      if (known !== undefined) this.store.patch(idOf(stream), withItems(described(known, frame.d?.conversation as Described), items));
      for (const item of items) this.outbox.arrived(item);
    } else if (frame.t === "ev" && stream.isNew(frame)) {
      if (known !== undefined) this.store.patch(idOf(stream), withItems(known, [frame]));
      this.outbox.arrived(frame);
      this.owned(frame);
    } else if (frame.t === "patch" && known !== undefined) {
      const read = frame.d?.read as { person_id?: string; position?: Position } | undefined;
      if (read?.position && read.person_id !== this.state.me?.id) this.store.patch(idOf(stream), readUpTo(known, read.position));
    }
  }
}

function isAway(error: unknown): boolean {
  return !(error instanceof Refusal) || error.status >= 500 || error.status === 429;
}

function idOf(stream: Stream): string {
  return stream.name.slice("conv:".length);
}
