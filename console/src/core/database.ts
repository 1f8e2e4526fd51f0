/** What survives a reload: the outbox and the drafts of one person in one slot. Knows IndexedDB. */

import type { Slot } from "./rest.ts";
import type { Levels, Pending } from "./types.ts";

const VERSION = 2;
/** Key of the levels among the facts. */
const LEVELS = "levels";

export interface Kept {
  outbox: Pending[];
  drafts: Record<string, string>;
  levels: Levels | null;
}

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
    };
    const open = await done(asked);
    open.onversionchange = () => open.close();
    return new Database(open);
  }

  async read(): Promise<Kept> {
    const transaction = this.open.transaction(["outbox", "drafts", "facts"]);
    const drafts = transaction.objectStore("drafts");
    const [outbox, keys, texts, levels] = await Promise.all([
      done(transaction.objectStore("outbox").getAll() as IDBRequest<Pending[]>),
      done(drafts.getAllKeys()),
      done(drafts.getAll() as IDBRequest<string[]>),
      done(transaction.objectStore("facts").get(LEVELS) as IDBRequest<Levels | null | undefined>),
    ]);
    outbox.sort((a, b) => a.firstTriedAt - b.firstTriedAt || (a.id < b.id ? -1 : 1));
    return { outbox, drafts: Object.fromEntries(keys.map((key, index) => [String(key), texts[index] ?? ""])), levels: levels ?? null };
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

  async levels(levels: Levels | null): Promise<void> {
    const transaction = this.open.transaction("facts", "readwrite");
    transaction.objectStore("facts").put(levels, LEVELS);
    await committed(transaction);
  }

  /** Drop every word: a person signed out. */
  async clear(): Promise<void> {
    const transaction = this.open.transaction(["outbox", "drafts"], "readwrite");
    transaction.objectStore("outbox").clear();
    transaction.objectStore("drafts").clear();
    await committed(transaction);
  }

  close(): void {
    this.open.close();
  }
}

function done<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("the database failed"));
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("the database gave up"));
  });
}
