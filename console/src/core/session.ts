/**
 * The session of one slot: its token, kept fresh for as long as the platform grants it, and calls with
 * it. Knows REST; must not know sockets.
 */

import type { Clock } from "./clock.ts";
import { Refusal, Rest, type Signed, type Slot } from "./rest.ts";
import type { How } from "./types.ts";

const RENEW_BEFORE_MS = 60_000;
export const RETRY_MS = 2_000;

export interface SessionEars {
  /** There is a newer token. */
  fresh(token: string): void;
  /** Somebody else signed in with this slot's cookie: an end, never a change. */
  replaced(): void;
}

export class Session {
  token = "";
  private readonly rest: Rest;
  private person: string | null = null;
  private cancelRenewal: (() => void) | null = null;
  private renewal: Promise<string> | null = null;

  constructor(
    slot: Slot,
    private readonly clock: Clock,
    private readonly ears: SessionEars,
  ) {
    this.rest = new Rest(slot);
  }

  signIn(login: string, password: string): Promise<Signed> {
    return this.rest.signIn(login, password);
  }

  visit(): Promise<Signed> {
    return this.rest.visit();
  }

  /** Ask the platform to end this session alone. Rejects when it refuses, or is away. */
  signOut(): Promise<void> {
    return this.rest.signOut();
  }

  /** Call a route as the person. Rejects with a `Refusal`, or a TypeError where nobody answers. */
  call(method: string, path: string, body?: unknown, how?: How): Promise<unknown> {
    return this.rest.call(method, path, this.token, body, how);
  }

  /** Go on with what a sign-in or a refresh answered. */
  hold(signed: Signed): void {
    this.person = signed.person.id;
    this.token = signed.token;
    this.cancelRenewal?.();
    const wait = Date.parse(signed.expires_at) - this.clock.now() - RENEW_BEFORE_MS;
    this.cancelRenewal = this.clock.after(Math.max(wait, RETRY_MS), () => void this.renew().catch(() => undefined));
  }

  end(): void {
    this.cancelRenewal?.();
    this.cancelRenewal = null;
    this.person = null;
    this.token = "";
  }

  /** Fetch the next token, once for all who ask meanwhile. Rejects when there is no session any more. */
  renew(): Promise<string> {
    this.renewal ??= this.renewed().finally(() => (this.renewal = null));
    return this.renewal;
  }

  /** Refresh, however long the platform is away: only its refusal, or nobody who wants it, ends that. */
  async refreshed(isWanted: () => boolean): Promise<Signed> {
    for (;;) {
      try {
        return await this.rest.refresh();
      } catch (error) {
        if (!isAway(error) || !isWanted()) throw error;
      }
      await new Promise<void>((resolve) => this.clock.after(RETRY_MS * (0.5 + this.clock.random()), resolve));
      if (!isWanted()) throw new Refusal("unauthorized", "The session ended meanwhile.", 401);
    }
  }

  private async renewed(): Promise<string> {
    const person = this.person;
    const signed = await this.refreshed(() => this.person === person);
    // Who signed in meanwhile has a token of his own, and this one may be somebody else's.
    if (this.person !== person) throw new Refusal("unauthorized", "The session ended meanwhile.", 401);
    if (signed.person.id !== person) {
      this.ears.replaced();
      throw new Refusal("another_person", "Somebody else signed in here.", 401);
    }
    this.hold(signed);
    this.ears.fresh(signed.token);
    return signed.token;
  }
}

/** Tell whether something failed because the platform is away, not because it refused. */
export function isAway(error: unknown): boolean {
  return !(error instanceof Refusal) || error.status >= 500 || error.status === 429;
}
