/** Whose a key is: an input method owns the keys from its start until shortly behind its end. */

/** Some browsers send the Enter that chose a word just behind the end of composing. */
const BEHIND_MS = 30;

export class Composing {
  private under = false;
  private endedAt = -Infinity;

  begin(): void {
    this.under = true;
  }

  end(event: { timeStamp: number }): void {
    this.under = false;
    this.endedAt = event.timeStamp;
  }

  /** Whether it has words that are not the text's yet. */
  get isAtWork(): boolean {
    return this.under;
  }

  owns(event: { isComposing: boolean; timeStamp: number }): boolean {
    return this.under || event.isComposing || event.timeStamp - this.endedAt < BEHIND_MS;
  }
}
