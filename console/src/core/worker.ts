/**
 * The worker of one slot: it owns session, socket, outbox and drafts, so that several tabs share one
 * connection and a hidden tab's slowed timers starve nothing. Pages ask by number and are answered by it.
 */

import { systemClock } from "./clock.ts";
import type { Dial } from "./connection.ts";
import { Desk } from "./desk.ts";
import { end, receivers, transfer, type Call } from "./reception.ts";
import { Refusal } from "./rest.ts";
import type { AgentState, Position, Receiver, State } from "./types.ts";

/** Changes are collected for so long and go out as one. */
const COLLECT_MS = 50;

export interface Asked {
  id: number;
  name: "signIn" | "signOut" | "setState" | "send" | "retry" | "discard" | "draft" | "read" | "older" | "end" | "transfer" | "receivers" | "board" | "watch" | "get";
  given: unknown[];
}

export type Told = { id: number; value?: unknown; problem?: { code: string; title: string } } | { changed: Partial<State> };

const scope = globalThis as unknown as { name: string; location: Location; onconnect: (event: MessageEvent) => void };
const ports = new Set<MessagePort>();
let collected: Partial<State> | null = null;

const dial: Dial = (events) => {
  const socket = new WebSocket(`${scope.location.origin.replace(/^http/, "ws")}/v1/ws`, "peakdesk.v1");
  socket.onopen = () => events.opened();
  socket.onmessage = (event) => events.said(event.data as string);
  socket.onclose = (event) => events.closed(event.code);
  return { send: (text) => socket.send(text), close: () => socket.close() };
};

function show(changed: Partial<State>): void {
  if (collected === null) setTimeout(flush, COLLECT_MS);
  collected = { ...collected, ...changed };
}

function flush(): void {
  const changed = collected;
  collected = null;
  if (changed !== null) for (const port of ports) port.postMessage({ changed } satisfies Told);
}

const slot = Number(scope.name.replace(/^\D*/, "")) || 0;
const desk = new Desk(slot, dial, systemClock, show, crypto.randomUUID());
void desk.start();

const call: Call = (method, path, body) => desk.call(method, path, body);

/** What pages may ask for, by name. */
const calls: Record<Asked["name"], (...given: never[]) => Promise<unknown>> = {
  signIn: (login: string, password: string) => desk.signIn(login, password),
  signOut: () => desk.signOut(),
  setState: (state: AgentState) => desk.setState(state),
  send: (conversation: string, text: string) => desk.outbox.send(conversation, text),
  retry: (id: string) => desk.outbox.retry(id),
  discard: (id: string) => desk.outbox.discard(id),
  draft: (conversation: string, text: string) => desk.outbox.draft(conversation, text),
  read: (conversation: string, position: Position | undefined) => desk.read(conversation, position),
  older: (conversation: string) => desk.older(conversation),
  end: (conversation: string) => end(call, conversation),
  transfer: (conversation: string, to: Receiver, note: string) => transfer(call, conversation, to, note),
  receivers: () => receivers(call, desk.state.me?.id ?? ""),
  board: async () => desk.oversight.board(),
  watch: async (conversation: string) => desk.oversight.watch(conversation),
  get: (path: string) => call("GET", path),
};

async function answer(port: MessagePort, asked: Asked): Promise<void> {
  try {
    const value = await calls[asked.name](...(asked.given as never[]));
    // What the call changed is shown before it counts as done.
    flush();
    port.postMessage({ id: asked.id, value } satisfies Told);
  } catch (error) {
    const problem = error instanceof Refusal ? { code: error.code, title: error.title } : { code: "unreachable", title: String(error) };
    port.postMessage({ id: asked.id, problem } satisfies Told);
  }
}

scope.onconnect = (event) => {
  const port = event.ports[0] as MessagePort;
  ports.add(port);
  port.onmessage = (message: MessageEvent<Asked | "bye">) => {
    if (message.data === "bye") ports.delete(port);
    else void answer(port, message.data);
  };
  port.postMessage({ changed: desk.state } satisfies Told);
};
