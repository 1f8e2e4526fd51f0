/** The page's side of a slot's worker. */

import { workerUrl } from "@/trusted.ts";

import { systemClock } from "./clock.ts";
import { kept } from "./kept.ts";
import { Lifeline, askAgain, settle, type Waiting, type Worked } from "./lifeline.ts";
import { ofBrowser, ofTab } from "./storage.ts";
import { EMPTY, type Core, type Receivers, type State } from "./types.ts";
import { uuid7 } from "./uuid.ts";
import type { Asked, Said, Told } from "./worker.ts";
import url from "./worker.ts?sharedworker&url";

/** Return the slot of this tab: its own, else the one that was used last in this browser. */
export function slotOfTab(): number {
  const kept = ofTab.get("peakdesk.slot") ?? ofBrowser.get("peakdesk.slot") ?? "0";
  return useSlot(Number(kept));
}

/** Let this tab use a slot from now on, also after a reload. */
export function useSlot(slot: number): number {
  ofTab.set("peakdesk.slot", String(slot));
  ofBrowser.set("peakdesk.slot", String(slot));
  return slot;
}

/** Speak to the worker of a slot, started if it does not run. */
export function connect(slot: number): Core {
  const listeners = new Set<(changed: Partial<State>) => void>();
  const waiting = new Map<number, Waiting>();
  let state: State = EMPTY;
  let sequence = 0;
  const change = (told: Partial<State>) => {
    const changed = withKept(state, told);
    state = { ...state, ...changed };
    for (const listener of listeners) listener(changed);
  };
  const lifeline = new Lifeline((place) => begin(slot, place), systemClock, {
    told: (told) => {
      if ("changed" in told) change(told.changed);
      else if ("id" in told) settle(waiting, told);
    },
    hung: () => change({ connection: "lost", connectionSince: Date.now() }),
    begun: () => askAgain(waiting, (asked) => lifeline.say(asked)),
  });
  addEventListener("pagehide", () => lifeline.say("bye"));
  addEventListener("pageshow", (event) => event.persisted && lifeline.say("back"));
  const ask = (name: Asked["name"], ...given: unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      const asked: Asked = { id: (sequence += 1), name, given };
      waiting.set(asked.id, { asked, resolve, reject });
      lifeline.say(asked);
    });
  const done = async (name: Asked["name"], ...given: unknown[]): Promise<void> => void (await ask(name, ...given));
  return {
    get state() {
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signIn: (login, password) => done("signIn", login, password),
    signOut: () => done("signOut"),
    setState: (wanted) => done("setState", wanted),
    send: (conversation, text, to) => done("send", conversation, text, uuid7(Date.now()), false, to),
    sendPicture: (conversation, image) => done("send", conversation, "", uuid7(Date.now()), false, undefined, image),
    sendCard: (conversation, card) => done("sendCard", conversation, card, uuid7(Date.now()), false),
    confirm: (conversation, reason) => done("confirm", conversation, reason),
    retry: (id) => done("retry", id),
    discard: (id) => done("discard", id),
    draft: (conversation, text, over) => done("draft", conversation, text, over),
    dismiss: (conversation) => done("dismiss", conversation),
    note: (conversation, text) => done("note", conversation, text),
    read: (conversation) => done("read", conversation, state.conversations[conversation]?.items.at(-1)?.position),
    older: (conversation) => done("older", conversation),
    resume: () => done("resume"),
    end: (conversation) => done("end", conversation),
    transfer: (conversation, to, note) => done("transfer", conversation, to, note),
    receivers: () => ask("receivers") as Promise<Receivers>,
    board: () => done("board"),
    watch: (conversation) => done("watch", conversation),
    unwatch: (conversation) => done("unwatch", conversation),
    get: (path) => ask("get", path),
    sheet: (path) => ask("sheet", path),
    call: (method, path, body, how) => ask("call", method, path, body, how),
  };
}

/** Of many conversations one changed: the others are the objects that they were, so that nothing of them is drawn anew. */
function withKept(state: State, told: Partial<State>): Partial<State> {
  const { conversations, watched } = told;
  return {
    ...told,
    ...(conversations === undefined ? {} : { conversations: kept(state.conversations, conversations) }),
    ...(watched === undefined ? {} : { watched: kept(state.watched, watched) }),
  };
}

/** Start the worker of a slot, or find it; `place` counts those that were begun beside one that hung. */
function begin(slot: number, place: number): Worked {
  const options = { type: "module", name: `peakdesk-${slot}${place === 1 ? "" : `#${place}`}` } as const;
  const port = sharedPort(options);
  if (port === null) {
    const own = new Worker(workerUrl(url), options);
    return {
      say: (said: Said) => own.postMessage(said),
      hear: (told) => (own.onmessage = ({ data }: MessageEvent<Told>) => told(data)),
      end: () => own.terminate(),
    };
  }
  return {
    say: (said: Said) => port.postMessage(said),
    hear: (told) => (port.onmessage = ({ data }: MessageEvent<Told>) => told(data)),
    end: () => port.close(),
  };
}

/** Null where the browser has no shared workers, or lets nobody have one because it keeps nothing. */
function sharedPort(options: WorkerOptions): MessagePort | null {
  if (!("SharedWorker" in globalThis)) return null;
  try {
    return new SharedWorker(workerUrl(url), options).port;
  } catch {
    return null;
  }
}
