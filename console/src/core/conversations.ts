/**
 * Whose conversations are one's own, and what was said in them: the inbox and a stream for each. Knows
 * frames; must not know sockets, REST or pages.
 */

import type { Frame } from "./frames.ts";
import type { Outbox } from "./outbox.ts";
import { without, type Store } from "./store.ts";
import type { Stream } from "./stream.ts";
import type { Follower, Streams } from "./streams.ts";
import { described, ownership, readUpTo, withItems, type Described } from "./threads.ts";
import type { Position } from "./types.ts";

const INBOX = "inbox";
/** Conversations whose version is remembered: more than a day's. */
const VERSIONS = 4_096;

export class Conversations {
  /** The newest version by which it was judged whose a conversation is. */
  private readonly versions = new Map<string, number>();
  private readonly inbox: Follower = { heard: (_stream, frame) => this.told(frame) };
  private readonly thread: Follower = {
    heard: (stream, frame) => this.said(idOf(stream), stream, frame),
    joined: (stream, granted) => this.store.patch(idOf(stream), { maySend: granted.may_send === true }),
    refused: (stream) => this.forget(idOf(stream)),
  };

  /** `came` is called when a conversation became one's own while one looked. */
  constructor(
    private readonly store: Store,
    private readonly streams: Streams,
    private readonly outbox: Outbox,
    private readonly came: () => void,
  ) {}

  start(): void {
    this.streams.follow(INBOX, this.inbox);
  }

  clear(): void {
    this.versions.clear();
  }

  streamOf(id: string): Stream {
    return this.streams.follow(`conv:${id}`, this.thread);
  }

  private get me(): string {
    return this.store.state.me?.id ?? "";
  }

  private told(frame: Frame): void {
    if (frame.t === "snap") this.all((frame.d?.conversations ?? []) as Described[]);
    else if (frame.t === "ev") this.owned(frame);
  }

  /** The inbox says how things stand; what it does not name is nobody's here. */
  private all(known: readonly Described[]): void {
    const rows = known.filter((one) => one.agent_id === this.me && one.state !== "closed");
    const gone = Object.keys(this.store.state.conversations).filter((id) => !rows.some((one) => one.id === id));
    const conversations = { ...this.store.state.conversations };
    const come = rows.filter((one) => conversations[one.id] === undefined);
    for (const row of rows) conversations[row.id] = described(conversations[row.id], row);
    this.store.change({ conversations });
    for (const row of rows) this.isNewer(row.id, row.version);
    for (const id of gone) this.forget(id);
    for (const row of come) this.follow(row.id);
  }

  private owned(frame: Frame): void {
    const id = String(frame.d?.conversation_id ?? "");
    const mine = ownership(frame, this.me);
    if (mine === null || !this.isNewer(id, frame.d?.version)) return;
    if (mine === true && this.store.state.conversations[id] === undefined) {
      this.store.change({ conversations: { ...this.store.state.conversations, [id]: described(undefined, { id }) } });
      this.follow(id);
      this.came();
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
    const name = `conv:${id}`;
    if (this.streams.get(name) === undefined) this.streamOf(id);
    else this.streams.restart(name);
  }

  private forget(id: string): void {
    const { conversations, outbox } = this.store.state;
    if (conversations[id] !== undefined) this.store.change({ conversations: without(conversations, id) });
    if (!outbox.some((one) => one.conversation === id)) this.streams.leave(`conv:${id}`);
  }

  private said(id: string, stream: Stream, frame: Frame): void {
    const known = this.store.state.conversations[id];
    if (frame.t === "snap") {
      const items = (frame.d?.items ?? []) as Frame[];
      for (const item of items) stream.isNew(item);
      stream.advance(frame.position);
      if (known !== undefined) this.store.patch(id, withItems(described(known, frame.d?.conversation as Described), items));
      for (const item of items) this.outbox.arrived(item);
    } else if (frame.t === "ev" && stream.isNew(frame)) {
      if (known !== undefined) this.store.patch(id, withItems(known, [frame]));
      this.outbox.arrived(frame);
      this.owned(frame);
    } else if (frame.t === "patch" && known !== undefined) {
      const read = frame.d?.read as { person_id?: string; position?: Position } | undefined;
      if (read?.position && read.person_id !== this.me) this.store.patch(id, readUpTo(known, read.position));
    }
  }
}

function idOf(stream: Stream): string {
  return stream.name.slice("conv:".length);
}
