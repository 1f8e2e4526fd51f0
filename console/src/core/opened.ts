/**
 * Which of one's own conversations are followed where a list tells heads: those that were opened last.
 * Knows no frames.
 */

/** So many are followed, the newest; who comes back to one of them finds it as it is. */
export const OPENED = 16;

export class Opened {
  private readonly ids = new Set<string>();

  /** `rest` is told which one was not opened for the longest time. */
  constructor(private readonly rest: (id: string) => void) {}

  open(id: string): void {
    this.ids.delete(id);
    this.ids.add(id);
    const [oldest] = this.ids;
    if (this.ids.size <= OPENED || oldest === undefined) return;
    this.ids.delete(oldest);
    this.rest(oldest);
  }

  forget(id: string): void {
    this.ids.delete(id);
  }

  clear(): void {
    this.ids.clear();
  }
}
