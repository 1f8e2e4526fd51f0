/**
 * One person's desk in the worker: puts session, line, conversations, outbox and drafts together, and
 * holds what pages see of them. Must not know pages, Vue or the DOM.
 */

import type { Clock } from "./clock.ts";
import type { Dial } from "./connection.ts";
import { Conversations } from "./conversations.ts";
import { Database, NOTHING, type Kept } from "./database.ts";
import { levelsOf, zoneOf } from "./facts.ts";
import { History } from "./history.ts";
import { Departures } from "./left.ts";
import { Line, type Linked } from "./line.ts";
import { Offers } from "./offers.ts";
import { Outbox } from "./outbox.ts";
import { Oversight } from "./oversight.ts";
import { transfer } from "./reception.ts";
import type { Signed } from "./rest.ts";
import { Session } from "./session.ts";
import { SignOut } from "./signOut.ts";
import { Store } from "./store.ts";
import type { Described } from "./threads.ts";
import { Version } from "./version.ts";
import type { Frame } from "./frames.ts";
import { Viewing } from "./viewing.ts";
import { EMPTY, type AgentState, type How, type Position, type Receiver, type State } from "./types.ts";

/** Gateways of before tell nobody that a leader, or another device, set his state. */
const LOOK_EVERY_MS = 15_000;

export class Desk {
  readonly outbox: Outbox;
  readonly oversight: Oversight;
  private readonly store: Store;
  private readonly session: Session;
  private readonly leaving: SignOut;
  private readonly line: Line;
  private readonly conversations: Conversations;
  private readonly departures: Departures;
  private readonly history: History;
  private readonly viewing: Viewing;
  private readonly offers: Offers;
  private readonly version = new Version();
  private isStopped = false;
  /** How often a state was chosen here. */
  private chosen = 0;
  private cancelLook: (() => void) | null = null;
  /** Whether this connection's gateway was asked what the shop's levels are, and answered. */
  private hasFacts = false;

  constructor(
    private readonly slot: number,
    dial: Dial,
    private readonly clock: Clock,
    show: (changed: Partial<State>) => void,
    instance: string,
  ) {
    this.store = new Store(show);
    this.session = new Session(slot, clock, { fresh: (token) => this.line.fresh(token), replaced: () => this.leave(null) });
    this.leaving = new SignOut(slot, clock, () => this.session.signOut(), (isLeaving) => this.store.change({ isLeaving }));
    this.outbox = new Outbox(this.store, clock, (conversation) => this.conversations.streamOf(conversation), () => this.line.streams.all());
    const ears = {
      show: (changed: Partial<Linked>) => this.linked(changed),
      cut: () => (this.hasFacts = false),
      renew: () => this.session.renew(),
      over: (code: number) => this.leave(code),
    };
    this.line = new Line(dial, clock, instance, ears, this.outbox);
    this.departures = new Departures(this.store, clock, (id) => this.conversations.letGo(id));
    this.viewing = new Viewing(this.store, clock, (frame) => this.line.streams.write(frame));
    const looks = { joined: (id: string) => this.viewing.joined(id), patched: (id: string, frame: Frame) => this.viewing.told(id, frame) };
    this.offers = new Offers(this.store, (id) => this.call("GET", `/v1/conversations/${id}`) as Promise<Described>);
    this.conversations = new Conversations(this.store, this.line.streams, this.outbox, this.departures, {
      ...looks,
      came: (unnamed) => this.came(unnamed),
      inbox: (frame) => this.offers.heard(frame),
      read: (id, position) => void this.outbox.database?.seen(id, position).catch(() => undefined),
    });
    this.history = new History(this.store, (method, path) => this.call(method, path), (id, frames) => this.conversations.add(id, frames));
    this.oversight = new Oversight(this.store, this.line.streams, clock, {
      ...looks,
      own: (id) => this.conversations.open(id),
      arrived: (frame) => void this.outbox.arrived(frame),
    });
  }

  get state(): State {
    return this.store.state;
  }

  /** Go on with the session that the slot's cookie holds, if there is one that nobody has signed out of. */
  async start(): Promise<void> {
    if (await this.leaving.isLeft()) return this.leave(null);
    try {
      await this.enter(await this.session.refreshed(() => this.state.session === "unknown" && !this.isStopped));
    } catch {
      if (this.state.session === "unknown") this.store.change({ session: "out" });
    }
  }

  async signIn(login: string, password: string): Promise<void> {
    await this.leaving.settled();
    await this.enter(await this.session.signIn(login, password));
  }

  /** End this session alone, here at once and there as soon as the platform answers; what was typed is dropped with it. */
  async signOut(): Promise<void> {
    const { database } = this.outbox;
    await this.leaving.begin();
    await database?.clear().catch(() => undefined);
    this.leave(null);
    this.leaving.owe();
  }

  async setState(state: AgentState): Promise<void> {
    const answer = (await this.call("PUT", "/v1/agents/me/state", { state })) as { state: AgentState };
    this.chosen += 1;
    if (this.state.me !== null) this.store.change({ me: { ...this.state.me, state: answer.state } });
  }

  /** A person saw a conversation up to `position`, which is what his page showed. */
  async read(conversation: string, position: Position | undefined): Promise<void> {
    if (position !== undefined) this.conversations.read(conversation, position);
  }

  async older(conversation: string): Promise<void> {
    await this.history.older(conversation);
  }

  /** Somebody looks at a conversation: it is followed, and colleagues see that. */
  watch(conversation: string): void {
    this.oversight.watch(conversation);
    this.viewing.look(conversation);
  }

  /** A page shows it no more; another one that does says so again. */
  unwatch(conversation: string): void {
    this.viewing.away(conversation);
  }

  /** Connect again after `stopped`. */
  async resume(): Promise<void> {
    if (this.state.stopped !== null) this.line.resume(this.session.token);
  }

  /** Hand a conversation on; its note is kept until that is done. */
  async transfer(conversation: string, to: Receiver, note: string): Promise<void> {
    await transfer((method, path, body) => this.call(method, path, body), conversation, to, note);
    await this.outbox.note(conversation, "");
  }

  call(method: string, path: string, body?: unknown, how?: How): Promise<unknown> {
    return this.session.call(method, path, body, how);
  }

  private async enter(signed: Signed): Promise<void> {
    const { id, name, role, shop_id: shopId } = signed.person;
    if (this.isStopped) return;
    if (this.state.me !== null && this.state.me.id !== id) this.leave(null);
    this.session.hold(signed);
    const me = { id, name, role, shopId, state: null };
    const { remembers, ...kept } = await this.kept(id);
    if (this.isStopped) return this.release();
    const { drafts, notes, displaced, outbox, levels } = kept;
    this.store.change({ ...EMPTY, session: "in", me, connectionSince: this.clock.now(), drafts, notes, displaced, outbox, levels, remembers, stale: this.state.stale });
    this.forgetAll();
    this.conversations.start(kept.marks);
    this.outbox.resume(kept.outbox);
    this.line.open(this.session.token);
    this.look();
  }

  /** Take up what the browser keeps of a person. One that keeps nothing, or cannot be read, costs him a reload's safety alone. */
  private async kept(person: string): Promise<Kept & { remembers: boolean }> {
    this.outbox.database?.close();
    const database = await Database.of(this.slot, person).catch(() => null);
    const kept = await database?.read().catch(() => database.close());
    this.outbox.database = kept === undefined ? null : database;
    return { ...(kept ?? NOTHING), remembers: kept !== undefined };
  }

  /** Let go of everything here: another worker goes on with this session. */
  stop(): void {
    this.isStopped = true;
    this.leaving.stop();
    this.release();
  }

  private release(): void {
    this.forgetAll();
    this.session.end();
    this.cancelLook?.();
    this.cancelLook = null;
    this.outbox.database?.close();
    this.outbox.database = null;
  }

  /** Whoever is connected anew may be so because pages and platform were replaced. */
  private linked(changed: Partial<Linked>): void {
    this.store.change(changed);
    if (changed.connection === "connected") void this.version.look().then((isNew) => isNew && this.store.change({ stale: true }));
  }

  private forgetAll(): void {
    this.line.close();
    this.departures.clear();
    this.history.clear();
    this.oversight.clear();
    this.viewing.clear();
  }

  private leave(ended: number | null): void {
    const { stale, isLeaving } = this.state;
    this.release();
    this.hasFacts = false;
    this.store.change({ ...EMPTY, session: "out", ended, stale, isLeaving });
  }

  /** Look now and every so often, a little apart from everybody else. */
  private look(): void {
    this.cancelLook?.();
    this.cancelLook = this.clock.after(LOOK_EVERY_MS * (0.8 + 0.4 * this.clock.random()), () => this.look());
    void this.ownState();
    if (!this.hasFacts) void this.facts();
  }

  /** A conversation became one's own: that may be what one's state says too. An event names nobody, but an id. */
  private came(unnamed?: string): void {
    this.look();
    if (unnamed === undefined) return;
    const asked = this.call("GET", `/v1/conversations/${unnamed}`) as Promise<Described>;
    void asked.then((facts) => this.conversations.describe(facts), () => this.conversations.streamOf(unnamed));
  }

  /** Ask what the shop's levels and clocks are; while nobody answers, the last ones hold. */
  private async facts(): Promise<void> {
    const me = this.state.me?.id;
    const facts = await this.call("GET", "/v1/console").then((answer) => ({ levels: levelsOf(answer), zone: zoneOf(answer) })).catch(() => undefined);
    if (facts === undefined || this.state.me?.id !== me) return;
    this.hasFacts = true;
    this.store.change(facts);
    // A database that just closed, or is full, costs the next start its colours and nothing else.
    await this.outbox.database?.levels(facts.levels).catch(() => undefined);
  }

  private async ownState(): Promise<void> {
    const [me, chosen] = [this.state.me?.id, this.chosen];
    const found = (await this.call("GET", "/v1/me").catch(() => null)) as { state?: AgentState; capacity?: number | null } | null;
    // What was asked before a state was chosen, or by somebody else, says how things were.
    if (this.state.me?.id !== me || this.chosen !== chosen) return;
    if (this.state.me !== null && found?.state) this.store.change({ me: { ...this.state.me, state: found.state, capacity: found.capacity ?? null } });
  }
}
