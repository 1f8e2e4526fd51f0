/**
 * What a supervisor looks at beside his own desk: the shop's board, and conversations of others. Each
 * is followed while somebody looks and says so again; a page that died says nothing, and is forgotten.
 */

import { BoardParts } from "./boardParts.ts";
import { boardOf, type BoardView } from "./boards.ts";
import type { Clock } from "./clock.ts";
import { readIn, type Frame } from "./frames.ts";
import { isOnItsWay } from "./noting.ts";
import { without, type Store } from "./store.ts";
import type { Stream } from "./stream.ts";
import type { Follower, Streams } from "./streams.ts";
import { described, readUpTo, withItems, withSnapshot, type Described } from "./threads.ts";
import type { Position } from "./types.ts";

/** For so long a look holds; pages renew it well before. */
export const LOOK_MS = 45_000;
/** Where nobody could tell the board in parts, somebody is asked again. */
export const AGAIN_MS = 5_000;

export interface OversightEars {
  /** A conversation that is looked at is one's own. */
  own(id: string): void;
  /** Something stands in the log, perhaps one's own note. */
  arrived(frame: Frame): void;
  /** The platform follows it from now on. */
  joined(id: string): void;
  /** A patch came; true if it was of who looks. */
  patched(id: string, frame: Frame): boolean;
}

export class Oversight {
  private readonly parts: BoardParts;
  private asking: (() => void) | null = null;
  private readonly looks = new Map<string, () => void>();
  private readonly shop: Follower = {
    heard: (_stream, frame) => this.published(frame),
    refused: () => this.show({ status: "refused", latest: null }),
  };
  private readonly tiles: Follower = {
    heard: (stream, frame) => this.told(stream, frame),
    // Gateways of before know boards as a whole alone.
    refused: (_stream, code) => (code === "bad_stream" ? this.wholly() : this.show({ status: "refused", latest: null })),
  };
  private readonly marks: Follower = { heard: (_stream, frame) => this.marked(frame) };
  private readonly thread: Follower = {
    heard: (stream, frame) => this.said(stream, frame),
    joined: (stream) => this.ears.joined(idOf(stream)),
    refused: (stream) => this.store.change({ watched: { ...this.store.state.watched, [idOf(stream)]: null } }),
  };

  constructor(
    private readonly store: Store,
    private readonly streams: Streams,
    private readonly clock: Clock,
    private readonly ears: OversightEars,
  ) {
    this.parts = new BoardParts(clock, (latest) => this.show({ status: "live", latest }));
  }

  /** Follow the board of one's shop for a while. */
  board(): void {
    const { me, board } = this.store.state;
    if (me === null) return;
    const name = `board:${me.shopId}`;
    if (board === null) this.show({ status: "asked", latest: null });
    this.streams.follow(name, this.tiles);
    this.hold(name, this.tiles, () => {
      this.parts.clear();
      this.store.change({ board: null });
    });
    if (this.looks.has(`monitor:${me.shopId}`)) this.wholly();
    // Gateways of before refuse it: then a board is as old as it is.
    const current = `current:${me.shopId}`;
    this.streams.follow(current, this.marks);
    this.hold(current, this.marks, () => undefined);
  }

  /** Follow a conversation for a while, without being seen in it. One's own is the desk's. */
  watch(id: string): void {
    const name = `conv:${id}`;
    if (this.store.state.conversations[id] !== undefined) {
      this.handOver(name, id);
      return;
    }
    this.streams.follow(name, this.thread);
    this.hold(name, this.thread, () => this.store.change({ watched: without(this.store.state.watched, id) }));
  }

  clear(): void {
    for (const cancel of this.looks.values()) cancel();
    this.looks.clear();
    this.parts.clear();
  }

  private hold(name: string, follower: Follower, over: () => void): void {
    this.looks.get(name)?.();
    this.looks.set(
      name,
      this.clock.after(LOOK_MS, () => {
        this.looks.delete(name);
        // A note on its way is sent through it until it is there.
        if (isOnItsWay(this.store.state.outbox, name.slice("conv:".length))) return this.hold(name, follower, over);
        this.streams.leave(name, follower);
        over();
      }),
    );
  }

  /** Follow the board as a whole, as long as nobody tells it in parts. */
  private wholly(): void {
    const { me } = this.store.state;
    if (me === null) return;
    const name = `monitor:${me.shopId}`;
    this.streams.follow(name, this.shop);
    this.hold(name, this.shop, () => undefined);
  }

  /** Something of the board in parts. */
  private told(stream: Stream, frame: Frame): void {
    if (frame.t === "ev") return this.published(frame);
    if (frame.d === undefined || frame.d === null) {
      // The monitor is away, or one of before, which publishes whole boards.
      this.parts.clear();
      this.wholly();
      this.asking?.();
      this.asking = this.clock.after(AGAIN_MS, () => this.streams.restart(stream.name));
    } else if (frame.t === "snap") {
      this.over(stream.name.replace("board:", "monitor:"), this.shop);
      this.parts.begin(frame.d);
    } else {
      this.parts.change(frame.k, frame.d);
    }
  }

  private over(name: string, follower: Follower): void {
    this.looks.get(name)?.();
    this.looks.delete(name);
    this.streams.leave(name, follower);
  }

  private published(frame: Frame): void {
    const { board } = this.store.state;
    if (frame.t === "ev") {
      this.store.change({ alerts: this.store.state.alerts + 1 });
    } else if (frame.d === undefined || frame.d === null) {
      this.show({ status: "missing", latest: board?.latest ?? null });
    } else {
      this.show({ status: "live", latest: boardOf(frame.d) });
    }
  }

  private marked(frame: Frame): void {
    const { board } = this.store.state;
    const through = frame.d?.through;
    if (board !== null && typeof through === "string") this.store.change({ board: { ...board, through: Date.parse(through) } });
  }

  private show(board: Pick<BoardView, "status" | "latest">): void {
    this.store.change({ board: { through: this.store.state.board?.through ?? null, ...board } });
  }

  private said(stream: Stream, frame: Frame): void {
    const id = idOf(stream);
    if (this.store.state.conversations[id] !== undefined) {
      this.handOver(stream.name, id);
      return;
    }
    const known = this.store.state.watched[id] ?? undefined;
    let now = known;
    if (frame.t === "snap") {
      const items = (frame.d?.items ?? []) as Frame[];
      for (const item of items) stream.isNew(item);
      stream.advance(frame.position);
      const snapped = withSnapshot(known ?? described(undefined, { id }), frame.d?.conversation as Described | undefined, items);
      now = readUpTo(snapped, readIn(frame).buyer);
      for (const item of items) this.ears.arrived(item);
    } else if (frame.t === "ev" && known !== undefined && stream.isNew(frame)) {
      now = withItems(known, [frame]);
    } else if (frame.t === "patch" && !this.ears.patched(id, frame) && known !== undefined) {
      const read = frame.d?.read as { person_id?: string; position?: Position } | undefined;
      if (read?.position && read.person_id === known.buyerId) now = readUpTo(known, read.position);
    }
    if (frame.t === "ev") this.ears.arrived(frame);
    if (now !== undefined && now !== known) this.store.change({ watched: { ...this.store.state.watched, [id]: now } });
  }

  /** It became one's own: the desk follows it from here, beginning with a snapshot. */
  private handOver(name: string, id: string): void {
    this.over(name, this.thread);
    if (id in this.store.state.watched) this.store.change({ watched: without(this.store.state.watched, id) });
    this.ears.own(id);
  }
}

function idOf(stream: Stream): string {
  return stream.name.slice("conv:".length);
}
