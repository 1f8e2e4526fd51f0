/** The state of one desk: replaced part by part, each change told once. */

import { EMPTY, type Conversation, type State } from "./types.ts";

export class Store {
  state: State = EMPTY;

  constructor(private readonly show: (changed: Partial<State>) => void) {}

  change(changed: Partial<State>): void {
    this.state = { ...this.state, ...changed };
    this.show(changed);
  }

  /** Change what is known of a conversation; one that is not one's own stays unknown. */
  patch(id: string, changed: Partial<Conversation>): void {
    const known = this.state.conversations[id];
    if (known !== undefined) this.change({ conversations: { ...this.state.conversations, [id]: { ...known, ...changed } } });
  }
}

export function without<T>(all: Readonly<Record<string, T>>, key: string): Record<string, T> {
  const rest = { ...all };
  delete rest[key];
  return rest;
}
