/**
 * A sign-out of a slot that the platform has not heard of yet. It is noted in the browser's database
 * until the platform answers, so that no reload signs anybody in by the cookie that is still there.
 * Knows IndexedDB; must not know whose session it was.
 */

import type { Clock } from "./clock.ts";
import { committed, done } from "./database.ts";
import type { Slot } from "./rest.ts";
import { RETRY_MS, isAway } from "./session.ts";

const VERSION = 1;
const NOTES = "notes";
const OWED = "owed";

export class SignOut {
  private isOwed = false;
  private isStopped = false;
  private asked: Promise<void> | null = null;

  constructor(
    private readonly slot: Slot,
    private readonly clock: Clock,
    /** Ask the platform to end the session of the slot's cookie. */
    private readonly end: () => Promise<unknown>,
    private readonly show: (isOwed: boolean) => void,
  ) {}

  /** Tell whether an earlier life of this worker owes one; it is then asked for until there is an answer. */
  async isLeft(): Promise<boolean> {
    if ((await this.noted("readonly", (notes) => notes.get(OWED))) !== true || this.isStopped) return false;
    this.owe();
    return true;
  }

  /** Note that somebody signs out. */
  async begin(): Promise<void> {
    await this.noted("readwrite", (notes) => notes.put(true, OWED));
  }

  /** From now on, ask the platform until it answers. */
  owe(): void {
    this.isOwed = true;
    this.show(true);
    void this.insist();
  }

  /** Resolve once nothing is owed: who signs in before has his session ended by it. Rejects while the platform is away. */
  async settled(): Promise<void> {
    if (this.isOwed) await this.ask();
  }

  /** Another worker goes on with it. */
  stop(): void {
    this.isStopped = true;
  }

  private async insist(): Promise<void> {
    while (this.isOwed && !this.isStopped) {
      if (await this.ask().then(() => true, () => false)) return;
      await new Promise<void>((resolve) => this.clock.after(RETRY_MS * (0.5 + this.clock.random()), resolve));
    }
  }

  private ask(): Promise<void> {
    this.asked ??= this.told().finally(() => (this.asked = null));
    return this.asked;
  }

  private async told(): Promise<void> {
    try {
      await this.end();
    } catch (error) {
      // A refusal is an answer: by a cookie that ends nothing nobody is signed in either.
      if (isAway(error)) throw error;
    }
    await this.noted("readwrite", (notes) => notes.delete(OWED));
    this.isOwed = false;
    this.show(false);
  }

  /** A browser that keeps nothing costs the note its safety from a reload, and nothing else. */
  private async noted(mode: IDBTransactionMode, work: (notes: IDBObjectStore) => IDBRequest): Promise<unknown> {
    try {
      const asked = indexedDB.open(`peakdesk-${this.slot}`, VERSION);
      asked.onupgradeneeded = () => asked.result.createObjectStore(NOTES);
      const open = await done(asked);
      const transaction = open.transaction(NOTES, mode);
      const [found] = await Promise.all([done(work(transaction.objectStore(NOTES))), committed(transaction)]);
      open.close();
      return found;
    } catch {
      return undefined;
    }
  }
}
