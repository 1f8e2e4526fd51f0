/** The page's side of a slot's worker. */

import { workerUrl } from "@/trusted.ts";

import { EMPTY, type Core, type Problem, type Receivers, type State } from "./types.ts";
import type { Asked, Told } from "./worker.ts";
import url from "./worker.ts?sharedworker&url";

/** Return the slot of this tab: its own, else the one that was used last in this browser. */
export function slotOfTab(): number {
  const kept = sessionStorage.getItem("peakdesk.slot") ?? localStorage.getItem("peakdesk.slot") ?? "0";
  return useSlot(Number(kept));
}

/** Let this tab use a slot from now on, also after a reload. */
export function useSlot(slot: number): number {
  sessionStorage.setItem("peakdesk.slot", String(slot));
  localStorage.setItem("peakdesk.slot", String(slot));
  return slot;
}

/** Speak to the worker of a slot, started if it does not run. */
export function connect(slot: number): Core {
  const { port } = new SharedWorker(workerUrl(url), { type: "module", name: `peakdesk-${slot}` });
  const listeners = new Set<(changed: Partial<State>) => void>();
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (problem: Problem) => void }>();
  let state: State = EMPTY;
  let sequence = 0;
  port.onmessage = ({ data }: MessageEvent<Told>) => {
    if ("changed" in data) {
      state = { ...state, ...data.changed };
      for (const listener of listeners) listener(data.changed);
      return;
    }
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.problem === undefined) asked?.resolve(data.value);
    else asked?.reject(data.problem);
  };
  addEventListener("pagehide", () => port.postMessage("bye"));
  const ask = (name: Asked["name"], ...given: unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      const id = (sequence += 1);
      waiting.set(id, { resolve, reject });
      port.postMessage({ id, name, given } satisfies Asked);
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
    send: (conversation, text) => done("send", conversation, text),
    retry: (id) => done("retry", id),
    discard: (id) => done("discard", id),
    draft: (conversation, text) => done("draft", conversation, text),
    read: (conversation) => done("read", conversation, state.conversations[conversation]?.items.at(-1)?.position),
    older: (conversation) => done("older", conversation),
    end: (conversation) => done("end", conversation),
    transfer: (conversation, to, note) => done("transfer", conversation, to, note),
    receivers: () => ask("receivers") as Promise<Receivers>,
    board: () => done("board"),
    watch: (conversation) => done("watch", conversation),
    get: (path) => ask("get", path),
  };
}
