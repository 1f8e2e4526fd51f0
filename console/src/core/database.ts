/** What survives a reload: the outbox and the drafts of one person in one slot. Knows IndexedDB. */

import type { Slot } from "./rest.ts";
import type { Levels, Pending, Position } from "./types.ts";

const VERSION = 3;
/**
 * Before a conversation's id they are the keys of the note of a transfer, and of a draft that another tab
 * replaced. Older pages take them for drafts of nobody they know.
 */
const NOTE = "note:";
const DISPLACED = "displaced:";
/** Key of the levels among the facts. */
const LEVELS = "levels";
/** Conversations of which it is kept up to where they were seen: the newest, by their ids. */
const MARKS = 1_000;

export interface Kept {
  outbox: Pending[];
  drafts: Record<string, string>;
  /** Notes of transfers that were not made. */
  notes: Record<string, string>;
  /** Drafts that another tab replaced. */
  displaced: Record<string, string>;
  levels: Levels | null;
  /** Up to where each conversation was seen. */
  marks: Record<string, Position>;
}

/** What is kept where nothing was, or nothing can be. */
export const NOTHING: Kept = { outbox: [], drafts: {}, notes: {}, displaced: {}, levels: null, marks: {} };

export class Database {
  private constructor(private readonly open: IDBDatabase) {}

  /** Open the database of a person. Two people of one browser never share one. */
  static async of(slot: Slot, person: string): Promise<Database> {
    const asked = indexedDB.open(`peakdesk-${slot}-${person}`, VERSION);
    asked.onupgradeneeded = ({ oldVersion }) => {
      if (oldVersion < 1) {
        asked.result.createObjectStore("outbox", { keyPath: "id" });
        asked.result.createObjectStore("drafts");
      }
      if (oldVersion < 2) asked.result.createObjectStore("facts");
      if (oldVersion < 3) asked.result.createObjectStore("marks");
    };
    const open = await done(asked);
    open.onversionchange = () => open.close();
    return new Database(open);
  }

  async read(): Promise<Kept> {
    const transaction = this.open.transaction(["outbox", "drafts", "facts", "marks"]);
    const [drafts, marks] = [transaction.objectStore("drafts"), transaction.objectStore("marks")];
    const [outbox, keys, texts, levels, seen, places] = await Promise.all([
      done(transaction.objectStore("outbox").getAll() as IDBRequest<Pending[]>),
      done(drafts.getAllKeys()),
      done(drafts.getAll() as IDBRequest<string[]>),
      done(transaction.objectStore("facts").get(LEVELS) as IDBRequest<Levels | null | undefined>),
      done(marks.getAllKeys()),
      done(marks.getAll() as IDBRequest<Position[]>),
    ]);
    await this.forgetOld(seen);
    outbox.sort((a, b) => a.firstTriedAt - b.firstTriedAt || (a.id < b.id ? -1 : 1));
    const named = <T>(names: IDBValidKey[], values: T[]) => Object.fromEntries(names.map((name, index) => [String(name), values[index] as T]));
    return { outbox, ...sorted(named(keys, texts)), levels: levels ?? null, marks: named(seen, places) };
  }

  /** Keep a message and forget the draft that it was, together: neither twice nor not at all. */
  async queue(pending: Pending): Promise<void> {
    const transaction = this.open.transaction(["outbox", "drafts"], "readwrite");
    transaction.objectStore("outbox").put(pending);
    transaction.objectStore("drafts").delete(pending.conversation);
    await committed(transaction);
  }

  /** Make a message that cannot be sent a draft again. */
  async giveBack(pending: Pending): Promise<void> {
    const transaction = this.open.transaction(["outbox", "drafts"], "readwrite");
    transaction.objectStore("outbox").delete(pending.id);
    transaction.objectStore("drafts").put(pending.text, pending.conversation);
    await committed(transaction);
  }

  async keep(pending: Pending): Promise<void> {
    const transaction = this.open.transaction("outbox", "readwrite");
    transaction.objectStore("outbox").put(pending);
    await committed(transaction);
  }

  async forget(id: string): Promise<void> {
    const transaction = this.open.transaction("outbox", "readwrite");
    transaction.objectStore("outbox").delete(id);
    await committed(transaction);
  }

  async draft(conversation: string, text: string): Promise<void> {
    const transaction = this.open.transaction("drafts", "readwrite");
    if (text === "") transaction.objectStore("drafts").delete(conversation);
    else transaction.objectStore("drafts").put(text, conversation);
    await committed(transaction);
  }

  /** Keep the note of a transfer that was not made yet. */
  note(conversation: string, text: string): Promise<void> {
    return this.draft(`${NOTE}${conversation}`, text);
  }

  /** Keep what another tab's draft replaced. */
  displaced(conversation: string, text: string): Promise<void> {
    return this.draft(`${DISPLACED}${conversation}`, text);
  }

  async levels(levels: Levels | null): Promise<void> {
    const transaction = this.open.transaction("facts", "readwrite");
    transaction.objectStore("facts").put(levels, LEVELS);
    await committed(transaction);
  }

  async seen(conversation: string, position: Position): Promise<void> {
    const transaction = this.open.transaction("marks", "readwrite");
    transaction.objectStore("marks").put([...position], conversation);
    await committed(transaction);
  }

  /** Keys come in their order, and ids begin with the time: the first are the oldest. */
  private async forgetOld(seen: IDBValidKey[]): Promise<void> {
    const last = seen.at(-MARKS - 1);
    if (last === undefined) return;
    const transaction = this.open.transaction("marks", "readwrite");
    transaction.objectStore("marks").delete(IDBKeyRange.upperBound(last));
    await committed(transaction);
  }

  /** Drop every word: a person signed out. */
  async clear(): Promise<void> {
    const names = ["outbox", "drafts", "marks"];
    const transaction = this.open.transaction(names, "readwrite");
    for (const name of names) transaction.objectStore(name).clear();
    await committed(transaction);
  }

  close(): void {
    this.open.close();
  }
}

/** Tell apart what stands in one place. */
function sorted(kept: Record<string, string>): Pick<Kept, "drafts" | "notes" | "displaced"> {
  const named = (prefix: string) =>
    Object.fromEntries(Object.entries(kept).flatMap(([key, text]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), text]] : [])));
  const drafts = Object.fromEntries(Object.entries(kept).filter(([key]) => !key.startsWith(NOTE) && !key.startsWith(DISPLACED)));
  return { drafts, notes: named(NOTE), displaced: named(DISPLACED) };
}

export function done<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("the database failed"));
  });
}

export function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("the database gave up"));
  });
}
