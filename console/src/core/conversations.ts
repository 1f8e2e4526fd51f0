/**
 * Whose conversations are one's own, what was said in them and what of it was seen: the inbox, and a
 * stream for each that is open. Knows frames; must not know sockets, REST or pages.
 */

import { compare, readIn, type Frame } from "./frames.ts";
import { headIn, withHead, type Head } from "./heads.ts";
import type { Departures } from "./left.ts";
import { Opened } from "./opened.ts";
import { isNoteKey, isOnItsWay } from "./noting.ts";
import type { Outbox } from "./outbox.ts";
import type { Store } from "./store.ts";
import type { Stream } from "./stream.ts";
import type { Follower, Streams } from "./streams.ts";
import { atRest, described, ownership, readUpTo, unreadOf, withItems, withOlder, withSnapshot, type Described, type Gone } from "./threads.ts";
import type { Conversation, Position } from "./types.ts";

const INBOX = "inbox";
/** Conversations that are not one's own and hold words that were typed: so many are asked for, the newest. */
const STRANGE = 32;
/** Conversations whose version is remembered: more than a day's. */
const VERSIONS = 4_096;
const GONE: Gone = { mine: false, reason: "gone", toAgent: null, toGroup: null, by: null };

export interface ConversationEars {
  /** A conversation became one's own while one looked, with its id where an event alone told of it; or one's state was set. */
  came(unnamed?: string): void;
  /** The inbox said something. */
  inbox(frame: Frame): void;
  /** Everything up to here was seen. */
  read(id: string, position: Position): void;
  /** The platform follows it from now on. */
  joined(id: string): void;
  /** A patch came; true if it was of who looks. */
  patched(id: string, frame: Frame): boolean;
}

export class Conversations {
  /** The newest version by which it was judged whose a conversation is. */
  private readonly versions = new Map<string, number>();
  private marks: Record<string, Position> = {};
  /** Whether the platform tells heads: then only what is open is followed. */
  private hasHeads = false;
  private readonly opened = new Opened((id) => this.rest(id));
  private readonly inbox: Follower = { heard: (_stream, frame) => this.told(frame) };
  private readonly thread: Follower = {
    heard: (stream, frame) => this.said(idOf(stream), stream, frame),
    joined: (stream, granted) => this.joined(idOf(stream), granted.may_send === true),
    refused: (stream, code) => this.refused(stream, code),
  };

  constructor(
    private readonly store: Store,
    private readonly streams: Streams,
    private readonly outbox: Outbox,
    private readonly departures: Departures,
    private readonly ears: ConversationEars,
  ) {}

  /** Begin with what an earlier life of this worker knew to be seen. */
  start(marks: Record<string, Position>): void {
    this.versions.clear();
    this.opened.clear();
    this.hasHeads = false;
    this.marks = { ...marks };
    this.streams.follow(INBOX, this.inbox);
  }

  streamOf(id: string): Stream {
    return this.streams.follow(`conv:${id}`, this.thread);
  }

  /** Somebody looks at one of his own. */
  open(id: string): void {
    if (this.store.state.conversations[id] === undefined) return;
    this.streamOf(id);
    this.opened.open(id);
  }

  /** Say of whom a conversation is that came without it. */
  describe(facts: Described): void {
    const known = this.store.state.conversations[facts.id];
    if (known !== undefined) this.store.patch(facts.id, described(known, facts));
  }

  /** Follow a conversation no longer; who looks at it from the board goes on. */
  letGo(id: string): void {
    this.streams.leave(`conv:${id}`, this.thread);
  }

  /** Take note that a person saw everything up to here. What came since is not seen. */
  read(id: string, position: Position): void {
    this.wasRead(id, position);
    this.mark(id);
  }

  /** Put a page of what was said before in front. */
  add(id: string, frames: readonly Frame[]): void {
    const known = this.store.state.conversations[id];
    if (known !== undefined) this.store.patch(id, this.seen(withOlder(known, frames)));
  }

  private get me(): string {
    return this.store.state.me?.id ?? "";
  }

  /** One has seen everything up to here, on this device or on another. */
  private wasRead(id: string, position: Position): void {
    const mark = this.marks[id];
    if (mark !== undefined && compare(position, mark) <= 0) return;
    this.marks[id] = position;
    this.ears.read(id, position);
    const known = this.store.state.conversations[id];
    if (known !== undefined) this.store.patch(id, this.seen(known));
  }

  private seen(known: Conversation): Conversation {
    if (known.items.length === 0) return known;
    return { ...known, ...unreadOf(known.items, this.marks[known.id] ?? null, this.me) };
  }

  /** Tell the buyer how far his words were read. Lossy: said again at every chance. */
  private mark(id: string): void {
    const position = this.marks[id];
    if (position !== undefined) this.streams.write({ t: "read", s: `conv:${id}`, position });
  }

  private joined(id: string, maySend: boolean): void {
    this.store.patch(id, { maySend });
    this.ears.joined(id);
    if (this.store.state.conversations[id] !== undefined) this.mark(id);
  }

  /** Words that waited for it are given back, in a row of their own if there is none. */
  private refused(stream: Stream, code: string): void {
    const id = idOf(stream);
    if (this.strange().has(id)) this.departures.left(described(undefined, { id }), GONE);
    stream.refuse(code);
    this.forget(id, GONE);
  }

  private told(frame: Frame): void {
    this.ears.inbox(frame);
    if (frame.t === "snap") this.all((frame.d?.conversations ?? []) as Described[]);
    else if (frame.type?.startsWith("work.")) this.store.change({ work: this.store.state.work + 1 });
    else if (frame.type === "staff.state_changed.v1") this.ears.came();
    else if (frame.t === "ev") this.owned(frame);
    else if (frame.t === "patch" && frame.k !== undefined) this.headed(frame.k, headIn(frame.d));
  }

  /** A row's head as it is now; of a row that is not there nothing is known. */
  private headed(id: string, head: Head | null): void {
    const known = this.store.state.conversations[id];
    if (known === undefined || head === null) return;
    this.hasHeads = true;
    this.store.patch(id, withHead(known, head));
    if (head.readUpTo !== null) this.wasRead(id, head.readUpTo);
  }

  /** It was not opened for long: its words are fetched anew when it is. */
  private rest(id: string): void {
    const known = this.store.state.conversations[id];
    if (!this.hasHeads || known === undefined || isOnItsWay(this.store.state.outbox, id)) return;
    this.letGo(id);
    this.store.patch(id, atRest(known));
  }

  /** The inbox says how things stand; what it does not name is nobody's here. */
  private all(known: readonly Described[]): void {
    const rows = known.filter((one) => one.agent_id === this.me && one.state !== "closed");
    const gone = Object.keys(this.store.state.conversations).filter((id) => !rows.some((one) => one.id === id));
    const conversations = { ...this.store.state.conversations };
    const come = rows.filter((one) => conversations[one.id] === undefined);
    for (const row of rows) conversations[row.id] = described(conversations[row.id], row);
    this.store.change({ conversations, listed: true });
    for (const row of rows) this.came(row.id, row.version);
    for (const id of gone) this.forget(id, GONE);
    if (rows.length > 0) this.hasHeads = rows.every((row) => headIn(row) !== null);
    for (const row of come) this.follow(row.id);
    for (const row of rows) this.saw(row);
    for (const id of this.strange()) this.streams.restart(`conv:${id}`);
    for (const id of this.typed()) this.streamOf(id);
  }

  /** Conversations that are not one's own and hold words of one's own, on their way or not sent. Notes need no seat. */
  private strange(): Set<string> {
    const { conversations, outbox } = this.store.state;
    const sent = outbox.map((one) => one.conversation).filter((id) => !isNoteKey(id) && conversations[id] === undefined);
    return new Set([...sent, ...this.typed()]);
  }

  /** Those that were lost while words were typed in them, and that no row shows since a reload. Ids begin with the time. */
  private typed(): string[] {
    const { conversations, left, drafts, notes, displaced } = this.store.state;
    const ids = new Set([drafts, notes, displaced].flatMap((kept) => Object.keys(kept)));
    return [...ids].filter((id) => !isNoteKey(id) && conversations[id] === undefined && left[id] === undefined).sort().slice(-STRANGE);
  }

  private came(id: string, version: unknown): void {
    this.isNewer(id, version);
    this.departures.returned(id);
  }

  private owned(frame: Frame): void {
    const id = String(frame.d?.conversation_id ?? "");
    const change = ownership(frame, this.me);
    if (change === null || !this.isNewer(id, frame.d?.version)) return;
    if (!change.mine) {
      this.forget(id, change);
    } else if (this.store.state.conversations[id] === undefined) {
      const row = described(undefined, { id, ...(frame.d ?? {}) } as Described);
      this.departures.returned(id);
      this.store.change({ conversations: { ...this.store.state.conversations, [id]: row } });
      this.follow(id);
      this.ears.came(this.hasHeads ? id : undefined);
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

  /**
   * Follow a conversation that became one's own: whatever is known of its stream, it begins with a
   * snapshot. Where heads are told, its stream is followed when somebody opens it.
   */
  private follow(id: string): void {
    const name = `conv:${id}`;
    if (this.streams.get(name) !== undefined) this.streams.restart(name);
    else if (!this.hasHeads) this.streamOf(id);
  }

  /** Take over how far one has read on other devices; say again what the platform missed of this one. */
  private saw(row: Described): void {
    const head = headIn(row);
    const mark = this.marks[row.id];
    if (head?.readUpTo) this.wasRead(row.id, head.readUpTo);
    const isMissed = mark !== undefined && (!head?.readUpTo || compare(mark, head.readUpTo) > 0);
    if (head !== null && head.unread > 0 && isMissed) this.streamOf(row.id);
  }

  private forget(id: string, how: Gone): void {
    const known = this.store.state.conversations[id];
    this.opened.forget(id);
    if (known !== undefined) this.departures.left(known, how);
    if (!isOnItsWay(this.store.state.outbox, id)) this.letGo(id);
  }

  private said(id: string, stream: Stream, frame: Frame): void {
    const known = this.store.state.conversations[id];
    if (frame.t === "snap") {
      const items = (frame.d?.items ?? []) as Frame[];
      for (const item of items) stream.isNew(item);
      stream.advance(frame.position);
      this.snapped(id, frame, items);
      for (const item of items) this.outbox.arrived(item);
    } else if (frame.t === "ev" && stream.isNew(frame)) {
      if (known !== undefined) this.store.patch(id, this.seen(withItems(known, [frame])));
      this.outbox.arrived(frame);
      this.owned(frame);
    } else if (frame.t === "patch" && !this.ears.patched(id, frame) && known !== undefined) {
      const read = frame.d?.read as { person_id?: string; position?: Position } | undefined;
      if (read?.position && read.person_id === this.me) this.wasRead(id, read.position);
      else if (read?.position) this.store.patch(id, readUpTo(known, read.position));
    }
  }

  private snapped(id: string, snap: Frame, items: readonly Frame[]): void {
    const facts = snap.d?.conversation as Described | undefined;
    const known = this.store.state.conversations[id];
    const isStrange = this.store.state.listed && this.strange().has(id) && this.store.state.left[id] === undefined;
    const { buyer, owner } = readIn(snap);
    if (known !== undefined) this.store.patch(id, this.seen(readUpTo(withSnapshot(known, facts, items), buyer)));
    if (known !== undefined && owner !== null && facts?.agent_id === this.me) this.wasRead(id, owner);
    // Words on their way to whom one has lost while one was away have a place on the screen too.
    if (known === undefined && isStrange) this.departures.left(withSnapshot(described(undefined, { ...facts, id }), undefined, items), GONE);
  }
}

function idOf(stream: Stream): string {
  return stream.name.slice("conv:".length);
}
