/**
 * A worker of one slot. One of them owns session, socket, outbox and drafts, so that several tabs share
 * one connection and a hidden tab's slowed timers starve nothing. Pages ask by number and are answered
 * by it. Runs shared by tabs where the browser can, else in each.
 */

import type { Card } from "./cards.ts";
import { systemClock } from "./clock.ts";
import type { Dial } from "./connection.ts";
import { Desk } from "./desk.ts";
import { Host, type Port, type Served } from "./host.ts";
import { end, receivers, type Call } from "./reception.ts";
import { Refusal } from "./rest.ts";
import type { AgentState, How, Position, Problem, Receiver, State } from "./types.ts";

export interface Asked {
  id: number;
  name: "signIn" | "signOut" | "setState" | "send" | "sendCard" | "confirm" | "retry" | "discard" | "draft" | "dismiss" | "note" | "read" | "older" | "resume" | "end" | "transfer" | "receivers" | "board" | "watch" | "unwatch" | "get" | "sheet" | "call";
  given: unknown[];
}

/** `alive` answers a page's `ping`. */
export type Told = { id: number; value?: unknown; problem?: Problem } | { changed: Partial<State> } | { alive: true };

/** What a page says beside asking: it goes, it came back from where browsers keep pages, is anybody there. */
export type Said = Asked | "bye" | "back" | "ping";

interface Scope {
  name: string;
  location: Location;
  onconnect?: (event: MessageEvent) => void;
  onmessage?: (event: MessageEvent<Said>) => void;
  postMessage?: (told: Told) => void;
}

const scope = globalThis as unknown as Scope;

const dial: Dial = (events) => {
  const socket = new WebSocket(`${scope.location.origin.replace(/^http/, "ws")}/v1/ws`, "peakdesk.v1");
  socket.onopen = () => events.opened();
  socket.onmessage = (event) => events.said(event.data as string);
  socket.onclose = (event) => events.closed(event.code);
  return { send: (text) => socket.send(text), close: () => socket.close() };
};

/** As pages name it: `peakdesk-<slot>`, and `#<number>` where it takes the place of one that hung. */
const [, slot, place] = /-(\d+)(?:#(\d+))?$/.exec(scope.name) ?? ["", "0"];

/** What pages may ask for, by name. */
const callsOf = (desk: Desk, ask: Call): Record<Asked["name"], (...given: never[]) => Promise<unknown>> => ({
  signIn: (login: string, password: string) => desk.signIn(login, password),
  signOut: () => desk.signOut(),
  setState: (state: AgentState) => desk.setState(state),
  send: (conversation: string, text: string, id: string, isAgain?: boolean, to?: string, image?: string) => desk.outbox.send(conversation, text, id, isAgain, to, image),
  sendCard: (conversation: string, card: Card, id: string, isAgain?: boolean) => desk.outbox.sendCard(conversation, card, id, isAgain),
  confirm: (conversation: string, reason: string) => desk.outbox.confirm(conversation, reason),
  retry: (id: string) => desk.outbox.retry(id),
  discard: (id: string) => desk.outbox.discard(id),
  draft: (conversation: string, text: string, over?: string) => desk.outbox.draft(conversation, text, over),
  dismiss: (conversation: string) => desk.outbox.dismiss(conversation),
  note: (conversation: string, text: string) => desk.outbox.note(conversation, text),
  read: (conversation: string, position: Position | undefined) => desk.read(conversation, position),
  older: (conversation: string) => desk.older(conversation),
  resume: () => desk.resume(),
  end: (conversation: string) => end(ask, conversation),
  transfer: (conversation: string, to: Receiver, note: string) => desk.transfer(conversation, to, note),
  receivers: () => receivers(ask, desk.state.me?.id ?? ""),
  board: async () => desk.oversight.board(),
  watch: async (conversation: string) => desk.watch(conversation),
  unwatch: async (conversation: string) => desk.unwatch(conversation),
  get: (path: string) => ask("GET", path),
  sheet: (path: string) => desk.call("GET", path, undefined, { accept: "text/csv" }),
  call: (method: string, path: string, body?: unknown, how?: How) => desk.call(method, path, body, how),
});

/** What a page is told of a refusal; of an error only its own fields would cross. */
function told({ code, title, trace, faults }: Refusal): Problem {
  return { code, title, ...(trace === undefined ? {} : { trace }), ...(faults === undefined ? {} : { faults }) };
}

function lead(show: (changed: Partial<State>) => void): Served {
  const desk = new Desk(Number(slot), dial, systemClock, show, crypto.randomUUID());
  const started = desk.start();
  const calls = callsOf(desk, (method, path, body) => desk.call(method, path, body));
  return {
    get state() {
      return desk.state;
    },
    async answer({ id, name, given }) {
      try {
        // Before that nothing that was kept is here, and what is asked would be forgotten with it.
        await started;
        return { id, value: await calls[name](...(given as never[])) };
      } catch (error) {
        const problem = error instanceof Refusal ? told(error) : { code: "unreachable", title: String(error) };
        return { id, problem };
      }
    },
    stop: () => desk.stop(),
  };
}

const host = new Host({
  clock: systemClock,
  id: crypto.randomUUID(),
  version: import.meta.url,
  lock: `peakdesk-${slot}`,
  locks: navigator.locks ?? null,
  channel: "BroadcastChannel" in globalThis ? new BroadcastChannel(`peakdesk-${slot}`) : null,
  lead,
});
host.start(place !== undefined);

function hear(port: Port, said: Said): void {
  if (said === "bye") host.remove(port);
  else if (said === "back") host.add(port);
  else if (said === "ping") port.postMessage({ alive: true });
  else host.ask(port, said);
}

scope.onconnect = (event) => {
  const port = event.ports[0] as MessagePort;
  port.onmessage = (message: MessageEvent<Said>) => hear(port, message.data);
  host.add(port);
};

// One tab's own worker has no ports: the tab itself is the one who speaks.
if (typeof scope.postMessage === "function") {
  const tab: Port = { postMessage: (told) => scope.postMessage?.(told) };
  scope.onmessage = (message) => hear(tab, message.data);
  host.add(tab);
}
