import type { Clock } from "@/core/clock.ts";

/** A clock that moves when told, and chance that is always the same. */
export class ManualClock implements Clock {
  private at = 1_700_000_000_000;
  private due: { at: number; work: () => void }[] = [];

  now(): number {
    return this.at;
  }

  random(): number {
    return 0;
  }

  after(ms: number, work: () => void): () => void {
    const entry = { at: this.at + ms, work };
    this.due.push(entry);
    return () => (this.due = this.due.filter((one) => one !== entry));
  }

  advance(ms: number): void {
    const until = this.at + ms;
    for (;;) {
      const next = this.due.filter((one) => one.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.due = this.due.filter((one) => one !== next);
      this.at = Math.max(this.at, next.at);
      next.work();
    }
    this.at = until;
  }
}
