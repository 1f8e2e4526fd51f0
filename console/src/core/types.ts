/** What the console knows, as the worker keeps it and the page shows it. Times are ms since 1970. */

import type { BoardView } from "./boards.ts";
import type { Card } from "./cards.ts";

export type AgentState = "online" | "busy" | "suspended" | "break" | "offline";
export type Speaker = "buyer" | "agent" | "system" | "auto" | "assist_bot";
/** Generation and offset; later is larger, place by place. */
export type Position = readonly [number, number];

/** Who is signed in in this slot. */
export interface Me {
  id: string;
  name: string;
  role: string;
  shopId: string;
  state: AgentState | null;
  /** How many buyers one serves at once at most; null or missing where that is not known. */
  capacity?: number | null;
}

/** `unknown` until the slot's cookie was tried. */
export type Session = "unknown" | "out" | "in";

/**
 * `lost` only after 1.5 s: a gateway that hands over is nobody's concern. `stopped` is not tried again
 * by itself; `State.stopped` says why.
 */
export type Connection = "connecting" | "connected" | "lost" | "stopped";

/**
 * Why a connection stopped that had not to end the session: `elsewhere` another socket took this
 * one's place (4505), `tooMany` one person, or the gateway, may have no more (4506), `version` the
 * platform speaks another version (4502), `protocol` it did not understand this one (4501).
 */
export type Stopped = "elsewhere" | "tooMany" | "version" | "protocol";

/** One entry of a thread, as the log has it. */
export interface Item {
  id: string;
  position: Position;
  at: number;
  type: string;
  by: Speaker;
  senderId: string;
  clientId: string | null;
  /** Written from a seat that was lost meanwhile: the buyer has it, and it answers nothing. */
  notOwner?: boolean;
  /** Written behind the close, and answered elsewhere if at all. */
  late?: boolean;
  told?: Told;
  /** What was said, or the note of a transfer; empty for everything else. */
  text: string;
  /** Of a picture that the platform keeps: its address there. */
  image?: string;
  /** Of a card of a known kind: all that it says. */
  card?: Card;
  /** Of a note: who wrote it, and for whom it is meant, if for somebody. */
  note?: { author: string; to: string | null };
}

/** What the log says beside who spoke, as far as the buyer's clock needs it. */
export interface Told {
  /** The conversation's, after this. */
  version?: number;
  /** The version of the seat that an agent wrote from. */
  seat?: number;
  /** Since when the buyer waits, by whoever wrote this. */
  since?: number;
  /** The message that this is about. */
  about?: string;
  /** A close for long silence, which ends nobody's waiting. */
  isIdle?: true;
  /** To whom the conversation goes. */
  handed?: Handed;
}

/** A change of hands: from whom to whom, null for the queue of a group, and by whom. */
export interface Handed {
  from: string | null;
  to: string | null;
  by: string | null;
  group: string;
  /** Whoever has it then took it by his own wish. */
  isTaken: boolean;
}

/**
 * How far an own message is on its way: `queued` was not written to a socket yet, `unknown` was and
 * may have arrived, `failed` is older than ten minutes and is never sent again by itself.
 */
export type SendState = "queued" | "sending" | "unknown" | "failed";

/** A message that is not in the log yet, as it is kept in the browser's database. */
export interface Pending {
  id: string;
  /** The conversation's id, or the key of its notes (`noting.ts`). */
  conversation: string;
  /** Of a note: for whom it is meant, if for somebody. */
  to?: string;
  text: string;
  /** The address of a picture, which is what is said then. */
  image?: string;
  /** The card that is said then; `text` says it in words. */
  card?: Card;
  firstTriedAt: number;
  /** Whether a frame of it was ever written; what comes again says so. */
  written: boolean;
  state: SendState;
  /** The gate's signature, for words that it asked about and that are meant. */
  confirm?: string;
  /** Why they are meant. */
  reason?: string;
}

/** What the gate, or a lost seat, made of the words that now stand in the composer again. */
export interface Refusal {
  code: string;
  /** The words it is about; it is over when they change. */
  text: string;
  hits: readonly Hit[];
  /** Under which id it was tried. */
  id: string;
  /** The signature that lets the same words pass under the same id, where the gate asked whether they are meant. */
  confirm?: string;
  /** Under which id the shop's leaders find what was held; an older gateway names none. */
  incident?: string;
}

/** Where a phrase stands, in code points. */
export interface Hit {
  category: string;
  start: number;
  end: number;
  surface: string;
}

/** Seconds of waiting from which it is worth a look, too long, and over the limit. */
export type Steps = readonly [notice: number, warn: number, breach: number];

/** When waiting counts as long, by the profile that rules the shop's colours. */
export interface Levels {
  /** For the first reply since a conversation began, or began anew. */
  first: Steps;
  /** For every later one. */
  later: Steps;
}

/** The last words of a conversation; of an image or a card there is no text. */
export interface Last {
  position: Position;
  at: number;
  by: Speaker;
  text: string;
  /** A note of staff, which the buyer does not see. */
  isNote?: true;
}

/** One conversation of one's own with what was said in it. */
export interface Conversation {
  id: string;
  buyer: string;
  buyerId: string;
  /** Empty as long as nobody opened it, where a list tells heads. */
  items: readonly Item[];
  /** The last words; null where nobody said anything yet, or that is not known. */
  last: Last | null;
  /** The buyer's first word that nobody answered. */
  waitingSince: number | null;
  /** No agent has replied since it began, or began anew. */
  isFirst: boolean;
  /** The buyer has seen everything up to here. */
  readUpTo: Position | null;
  /** Null until the platform said so. */
  maySend: boolean | null;
  /** The buyer's words that one has not seen. */
  unread: number;
  /** The id of the first of them; null where everything was seen. */
  firstUnread: string | null;
  older: Older;
  /** Missing until a snapshot said so. */
  standing?: Standing | undefined;
}

/** Somebody of staff who looks at a conversation right now; the name is empty where nobody knows it. */
export interface Viewer {
  id: string;
  name: string;
}

/** Whose a conversation is, as of a version. */
export interface Standing {
  version: number;
  owner: string | null;
  isClosed: boolean;
  /** Its owner took it off duty. */
  isTaken: boolean;
}

/** What stands before the first of a conversation's items: more of it, nothing, or nobody knows yet. */
export type Older = "more" | "loading" | "failed" | "none";

/** A conversation that just ceased to be one's own. It is shown for a while, and its words stay where they were. */
export interface Left {
  conversation: Conversation;
  /** `taken`: a leader took it over. `gone`: it left while one was not connected, and nobody said how. */
  reason: "closed" | "transferred" | "taken" | "queued" | "assigned" | "gone";
  /** Who has it now, if that is known: a person's or a group's id. */
  toAgent: string | null;
  toGroup: string | null;
  /** Who did it; null: the platform. */
  by: string | null;
  at: number;
}

/** A colleague's buyer whom one is asked to answer; the name is empty where it is not known yet. */
export interface Offer {
  id: string;
  conversation: string;
  buyer: string;
  waitingSince: number;
  expiresAt: number;
}

/** Everything that a page shows; a diff has those keys that changed, whole. */
export interface State {
  session: Session;
  me: Me | null;
  connection: Connection;
  connectionSince: number;
  /** Server's clock minus this machine's. */
  clockOffset: number;
  conversations: Readonly<Record<string, Conversation>>;
  /** Whether `conversations` is what the platform says; until then an empty list means nothing. */
  listed: boolean;
  /** Those that left within the last 5 s, and those that still hold words of one's own that were not sent. */
  left: Readonly<Record<string, Left>>;
  /** What one is asked to answer for colleagues. */
  offers: readonly Offer[];
  outbox: readonly Pending[];
  /** By conversation; what is written as a note, by the key of its notes. So it is with all that is about drafts. */
  drafts: Readonly<Record<string, string>>;
  /** Drafts that are not in the browser's database: they are being written, or that failed, and a reload would lose them. */
  unkept: Readonly<Record<string, "writing" | "failed">>;
  /** What was written for the next one, by conversations that were not handed on yet. */
  notes: Readonly<Record<string, string>>;
  /** Drafts that another tab replaced, by conversation: to be put back, or dismissed. */
  displaced: Readonly<Record<string, string>>;
  refusals: Readonly<Record<string, Refusal>>;
  /** What the gate found in own messages and let pass, by client id: the latest, and none after a reload. */
  warned: Readonly<Record<string, readonly Hit[]>>;
  /** As they were last told, also while the platform is away; null until then. */
  levels: Levels | null;
  /** The zone of the shop's clocks; null until it was told. */
  zone: string | null;
  /** The shop's board, while somebody looks at it. */
  board: BoardView | null;
  /** Alerts that came since the page of the board was opened: a reason to look at what is listed. */
  alerts: number;
  /** Conversations of others that are looked at; null: not for this person. */
  watched: Readonly<Record<string, Conversation | null>>;
  /** Who else of staff looks at a conversation, by its id. */
  viewers: Readonly<Record<string, readonly Viewer[]>>;
  /** How often one was told of work of one's own, or that was: a reason to look at it again. */
  work: number;
  /** Why the session ended, if a close code said so. */
  ended: number | null;
  stopped: Stopped | null;
  /** Whether the browser keeps anything for this person; else what was typed lives as long as the worker. */
  remembers: boolean;
  /** Somebody signed out here, and the platform has not heard of it yet. */
  isLeaving: boolean;
  /** There is a newer version of these pages than the one that runs. */
  stale: boolean;
}

/** A problem document's machine-readable part. */
export interface Problem {
  code: string;
  title: string;
  /** By which a service's log knows the refusal. */
  trace?: string;
  /** What is wrong with which part of what was sent. */
  faults?: readonly Fault[];
}

/** One thing wrong with a command: a JSON pointer into its body (`#/items/0`), and why, in the service's words. */
export interface Fault {
  pointer?: string;
  detail: string;
}

/** What a command says beside its body. */
export interface How {
  /** The version that was read: another one by now is refused. */
  version?: number;
  /** The same of two calls that mean one thing, so that it is done once. */
  key?: string;
  /** As what the answer is wanted; JSON unless given. */
  accept?: string;
}

/** Who may be handed a conversation. */
export interface Receiver {
  kind: "group" | "agent";
  /** A group's code or a person's id. */
  id: string;
  name: string;
  /** Of a person, where the platform says it: how much he has, how much he takes, and who waits for him. */
  load?: number;
  capacity?: number;
  waiting?: number;
}

export type Receivers = readonly Receiver[];

/** What a page may ask of the worker; what goes wrong is rejected with a `Problem`. */
export interface Core {
  readonly state: State;
  subscribe(listener: (changed: Partial<State>) => void): () => void;
  signIn(login: string, password: string): Promise<void>;
  signOut(): Promise<void>;
  setState(state: AgentState): Promise<void>;
  /** Say it to the buyer; under the key of a conversation's notes, note it, for somebody or for all. */
  send(conversation: string, text: string, to?: string): Promise<void>;
  /** Show the buyer a picture that was sent to the platform before, by its address there. */
  sendPicture(conversation: string, image: string): Promise<void>;
  /** Show the buyer a card. */
  sendCard(conversation: string, card: Card): Promise<void>;
  /** Send what the gate asked about as it stands. */
  confirm(conversation: string, reason: string): Promise<void>;
  retry(id: string): Promise<void>;
  discard(id: string): Promise<void>;
  /** Keep what stands in a composer; `over` is what stood there before, so that another tab's words are not lost by it. */
  draft(conversation: string, text: string, over?: string): Promise<void>;
  /** Forget what another tab's draft replaced. */
  dismiss(conversation: string): Promise<void>;
  /** Keep the note of a transfer, as a draft is kept; the transfer itself forgets it. */
  note(conversation: string, text: string): Promise<void>;
  /** Everything that this page shows of a conversation was seen by a person. */
  read(conversation: string): Promise<void>;
  /** Fetch what stands before the first item; what comes of it is in `Conversation.older`. */
  older(conversation: string): Promise<void>;
  /** Connect again after `stopped`, in this place. */
  resume(): Promise<void>;
  end(conversation: string): Promise<void>;
  transfer(conversation: string, to: Receiver, note: string): Promise<void>;
  receivers(): Promise<Receivers>;
  /** Look at the shop's board; to be said again every 15 s. */
  board(): Promise<void>;
  /** Look at a conversation: of somebody else unseen, to be said again every 15 s; one's own is followed from then on. */
  watch(conversation: string): Promise<void>;
  /** Say that one looks at it no more; what is followed is followed a while longer. */
  unwatch(conversation: string): Promise<void>;
  /** Read a public route below /v1 as this person; a picture comes as a `Blob`. */
  get(path: string): Promise<unknown>;
  /** Read one that can be a file for spreadsheets, as that. */
  sheet(path: string): Promise<unknown>;
  /** Change something below /v1 as this person; a `Blob` goes as it is. Who repeats it for want of an answer gives the same key. */
  call(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown, how?: How): Promise<unknown>;
}

export const EMPTY: State = {
  session: "unknown",
  me: null,
  connection: "connecting",
  connectionSince: 0,
  clockOffset: 0,
  conversations: {},
  listed: false,
  left: {},
  offers: [],
  outbox: [],
  drafts: {},
  unkept: {},
  notes: {},
  displaced: {},
  refusals: {},
  warned: {},
  levels: null,
  zone: null,
  board: null,
  alerts: 0,
  watched: {},
  viewers: {},
  work: 0,
  ended: null,
  stopped: null,
  remembers: true,
  isLeaving: false,
  stale: false,
};
