/**
 * One person's desk in the worker: session, socket, streams, outbox and drafts, and what pages see of
 * it. Knows frames and REST; must not know pages, Vue or the DOM.
 */

import type { Clock } from "./clock.ts";
import { Connection, type Dial } from "./connection.ts";
import { Database } from "./database.ts";
import type { Frame, Outgoing, Refused } from "./frames.ts";
import { Rest, Refusal, type Signed } from "./rest.ts";
import { Stream } from "./stream.ts";
import { described, ownership, readUpTo, withItems, type Described } from "./threads.ts";
import { EMPTY, type AgentState, type Pending, type Position, type State } from "./types.ts";
import { uuid7 } from "./uuid.ts";

const LOST_AFTER_MS = 1_500;
const RENEW_BEFORE_MS = 60_000;
const RETRY_MS = 2_000;
const INBOX = "inbox";

export class Desk {
  state: State = EMPTY;
  private readonly rest: Rest;
  private token = "";
  private connection: Connection | null = null;
  private database: Database | null = null;
  private streams = new Map<string, Stream>();
  private asked = new Map<string, Stream>();
  private sequence = 0;
  private cancelLost: (() => void) | null = null;
  private cancelRenewal: (() => void) | null = null;

  constructor(
    private readonly slot: number,
    private readonly dial: Dial,
    private readonly clock: Clock,
    private readonly show: (changed: Partial<State>) => void,
    private readonly instance: string,
  ) {
    this.rest = new Rest(slot);
  }

  /** Go on with the session that the slot's cookie holds, if there is one. */
  async start(): Promise<void> {
    try {
      await this.enter(await this.rest.refresh());
    } catch (error) {
      if (error instanceof Refusal && ["signed_out", "unauthorized", "session_ended"].includes(error.code)) this.change({ session: "out" });
      else if (error instanceof Refusal && error.code.startsWith("http_4")) this.change({ session: "out" });
      else if (error instanceof Refusal && !error.code.startsWith("http_5")) this.change({ session: "out" });
      else this.clock.after(RETRY_MS, () => void this.start());
    }
  }

  async signIn(login: string, password: string): Promise<void> {
    await this.enter(await this.rest.signIn(login, password));
  }

  /** End this session alone; what was typed is dropped with it. */
  async signOut(): Promise<void> {
    await this.rest.signOut().catch(() => undefined);
    await this.database?.clear();
    this.leave(null);
  }

  async setState(state: AgentState): Promise<void> {
    const answer = (await this.call("PUT", "/v1/agents/me/state", { state })) as { state: AgentState };
    if (this.state.me !== null) this.change({ me: { ...this.state.me, state: answer.state } });
  }

  async send(conversation: string, text: string): Promise<void> {
    const now = this.clock.now();
    const pending: Pending = { id: uuid7(now), conversation, text, firstTriedAt: now, written: false, state: "queued" };
    this.change({ outbox: [...this.state.outbox, pending], drafts: without(this.state.drafts, conversation), refusals: without(this.state.refusals, conversation) });
    await this.database?.queue(pending);
    this.streamOf(conversation).send(pending);
  }

  /** Send what failed once more, as something new that was first tried now. */
  async retry(id: string): Promise<void> {
    const failed = this.state.outbox.find((one) => one.id === id);
    if (failed === undefined) return;
    await this.discard(id);
    await this.send(failed.conversation, failed.text);
  }

  async discard(id: string): Promise<void> {
    this.dropped(id);
    for (const stream of this.streams.values()) stream.discard(id);
    await this.database?.forget(id);
  }

  async draft(conversation: string, text: string): Promise<void> {
    const refusal = this.state.refusals[conversation];
    const drafts = text === "" ? without(this.state.drafts, conversation) : { ...this.state.drafts, [conversation]: text };
    const over = refusal !== undefined && refusal.text !== text;
    this.change({ drafts, ...(over ? { refusals: without(this.state.refusals, conversation) } : {}) });
    await this.database?.draft(conversation, text);
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
    this.database?.close();
    this.database = await Database.of(this.slot, id);
    const kept = await this.database.read();
    this.change({ ...EMPTY, session: "in", me, connectionSince: this.clock.now(), drafts: kept.drafts, outbox: kept.outbox });
    this.connection = new Connection(this.dial, this.clock, this.ears(), this.token, this.instance);
    this.stream(INBOX);
    for (const pending of kept.outbox) this.streamOf(pending.conversation).send(pending);
    this.connection.open();
    void this.ownState();
  }

  private leave(ended: number | null): void {
    this.connection?.stop();
    this.cancelRenewal?.();
    this.cancelLost?.();
    this.database?.close();
    this.connection = this.database = this.cancelRenewal = this.cancelLost = null;
    this.streams.clear();
    this.asked.clear();
    this.token = "";
    this.change({ ...EMPTY, session: "out", ended });
  }

  private hold(signed: Signed): void {
    this.token = signed.token;
    this.cancelRenewal?.();
    const wait = Date.parse(signed.expires_at) - this.clock.now() - RENEW_BEFORE_MS;
    this.cancelRenewal = this.clock.after(Math.max(wait, RETRY_MS), () => void this.renew().catch(() => undefined));
  }

  /** Fetch the next token; another person in this slot is an end, never a change. */
  private async renew(): Promise<string> {
    const signed = await this.rest.refresh();
    if (signed.person.id !== this.state.me?.id) {
      this.leave(null);
      throw new Refusal("another_person", "Somebody else signed in here.");
    }
    this.hold(signed);
    this.connection?.fresh(signed.token);
    return signed.token;
  }

  private async ownState(): Promise<void> {
    const found = (await this.call("GET", "/v1/me").catch(() => null)) as { state?: AgentState } | null;
    if (this.state.me !== null && found?.state) this.change({ me: { ...this.state.me, state: found.state } });
  }

  private call(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.rest.call(method, path, this.token, body);
  }

  // -- streams ------------------------------------------------------------------------------------

  private ears() {
    return {
      ready: (frame: Frame) => this.connected(frame),
      frame: (frame: Frame) => this.heard(frame),
      lost: () => this.cut(),
      renew: () => this.renew(),
      over: (code: number) => this.leave(code),
    };
  }

  private connected(frame: Frame): void {
    this.cancelLost?.();
    this.cancelLost = null;
    const now = this.clock.now();
    const server = Date.parse(frame.server_time ?? "");
    this.change({ connection: "connected", connectionSince: now, ...(Number.isNaN(server) ? {} : { clockOffset: server - now }) });
    for (const stream of this.streams.values()) this.join(stream);
  }

  private cut(): void {
    this.asked.clear();
    const since = this.clock.now();
    for (const stream of this.streams.values()) stream.cut();
    if (this.state.connection !== "connected") return;
    this.change({ connection: "connecting", connectionSince: since });
    this.cancelLost = this.clock.after(LOST_AFTER_MS, () => this.change({ connection: "lost" }));
  }

  private stream(name: string): Stream {
    const known = this.streams.get(name);
    if (known !== undefined) return known;
    const outcomes = {
      changed: (pending: Pending) => this.moved(pending),
      delivered: (pending: Pending) => this.delivered(pending),
      refused: (pending: Pending, problem: Refused) => this.refused(pending, problem),
    };
    const made = new Stream(name, (frame) => this.write(frame), this.clock, outcomes);
    this.streams.set(name, made);
    if (this.state.connection === "connected") this.join(made);
    return made;
  }

  private streamOf(conversation: string): Stream {
    return this.stream(`conv:${conversation}`);
  }

  private join(stream: Stream): void {
    const id = `r${(this.sequence += 1)}`;
    this.asked.set(id, stream);
    this.write({ ...stream.subscribeFrame(), id });
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
      this.patch(stream.name, { maySend: frame.d?.may_send === true });
      stream.joined();
    } else if (code === "retry" || code === "resync" || code === "rate_limited") {
      this.clock.after(frame.problem?.retry_after_ms ?? RETRY_MS, () => this.join(stream));
    } else {
      this.forget(stream.name.slice("conv:".length));
    }
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
      for (const id of gone) delete conversations[id];
      for (const row of rows) conversations[row.id] = described(conversations[row.id], row);
      this.change({ conversations });
      for (const row of rows) this.streamOf(row.id);
    } else if (frame.t === "ev") {
      this.owned(frame);
    }
  }

  private owned(frame: Frame): void {
    const id = String(frame.d?.conversation_id ?? "");
    const mine = ownership(frame, this.state.me?.id ?? "");
    if (mine === true && this.state.conversations[id] === undefined) {
      this.change({ conversations: { ...this.state.conversations, [id]: described(undefined, { id }) } });
      this.streamOf(id);
    } else if (mine === false) {
      this.forget(id);
    }
  }

  private forget(id: string): void {
    if (this.state.conversations[id] !== undefined) this.change({ conversations: without(this.state.conversations, id) });
    if (this.state.outbox.some((one) => one.conversation === id) || !this.streams.delete(`conv:${id}`)) return;
    this.write({ t: "unsub", id: `r${(this.sequence += 1)}`, s: `conv:${id}` });
  }

  private conversation(stream: Stream, frame: Frame): void {
    const known = this.state.conversations[stream.name.slice("conv:".length)];
    if (frame.t === "snap") {
      const items = ((frame.d?.items ?? []) as Frame[]).filter((item) => stream.isNew(item));
      stream.advance(frame.position);
      if (known !== undefined) this.patch(stream.name, withItems(described(known, frame.d?.conversation as Described), items));
      for (const item of items) this.arrived(item);
    } else if (frame.t === "ev" && stream.isNew(frame)) {
      if (known !== undefined) this.patch(stream.name, withItems(known, [frame]));
      this.arrived(frame);
      this.owned(frame);
    } else if (frame.t === "patch" && known !== undefined) {
      const read = frame.d?.read as { person_id?: string; position?: Position } | undefined;
      if (read?.position && read.person_id !== this.state.me?.id) this.patch(stream.name, readUpTo(known, read.position));
    }
  }

  /** An own message that is in the log needs no place in the outbox, whichever was told first. */
  private arrived(frame: Frame): void {
    const client = frame.d?.client_id;
    const pending = this.state.outbox.find((one) => one.id === client);
    if (pending !== undefined && frame.d?.sender_id === this.state.me?.id) void this.discard(pending.id);
  }

  private patch(name: string, changed: object): void {
    const id = name.slice("conv:".length);
    const known = this.state.conversations[id];
    if (known !== undefined) this.change({ conversations: { ...this.state.conversations, [id]: { ...known, ...changed } } });
  }

  // -- outbox -------------------------------------------------------------------------------------

  private moved(pending: Pending): void {
    if (!this.state.outbox.some((one) => one.id === pending.id)) return;
    this.change({ outbox: this.state.outbox.map((one) => (one.id === pending.id ? { ...pending } : one)) });
    void this.database?.keep({ ...pending });
  }

  private delivered(pending: Pending): void {
    // The thread shows it once its event is there; until then it stays where it is.
    void this.database?.forget(pending.id);
  }

  private refused(pending: Pending, problem: Refused): void {
    const { conversation, text } = pending;
    this.dropped(pending.id);
    const draft = this.state.drafts[conversation];
    const back = draft ? `${text}\n${draft}` : text;
    const refusal = { code: problem.code, text: back, hits: problem.hits ?? [] };
    this.change({ drafts: { ...this.state.drafts, [conversation]: back }, refusals: { ...this.state.refusals, [conversation]: refusal } });
    void this.database?.giveBack({ ...pending, text: back });
  }

  private dropped(id: string): void {
    if (this.state.outbox.some((one) => one.id === id)) this.change({ outbox: this.state.outbox.filter((one) => one.id !== id) });
  }

  private change(changed: Partial<State>): void {
    this.state = { ...this.state, ...changed };
    this.show(changed);
  }
}

function without<T>(all: Readonly<Record<string, T>>, key: string): Record<string, T> {
  const rest = { ...all };
  delete rest[key];
  return rest;
}
