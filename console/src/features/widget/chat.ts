/** The page's side of a visit: the shop's words, whether somebody looks, and the page around the frame. */

import { computed, ref, shallowRef, type Ref } from "vue";

import { systemClock } from "@/core/clock.ts";
import type { Dial } from "@/core/connection.ts";
import { NOTHING, Visit, type Memory, type Visited } from "@/core/visit.ts";

export interface Shop {
  name: string;
  greeting: string;
}

export interface Chat {
  visit: Visit;
  visited: Readonly<Ref<Visited>>;
  shop: Readonly<Ref<Shop | null>>;
  /** There is no such shop. */
  isNowhere: Readonly<Ref<boolean>>;
  isCutOff: Readonly<Ref<boolean>>;
  /** Whether somebody may see it: in a frame, the page around it opens and puts it away. */
  isShown: Readonly<Ref<boolean>>;
  /** Whether somebody opened it on this page, and so wants to write; else the page before left it open. */
  isAsked: Readonly<Ref<boolean>>;
  isFramed: boolean;
  putAway(): void;
  /** The end of the thread is on the screen. */
  seen(): void;
}

const RETRY_MS = 2_000;
const NOT_FOUND = 404;

const dial: Dial = (events) => {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/ws`, "peakdesk.v1");
  socket.onopen = () => events.opened();
  socket.onmessage = (event) => events.said(event.data as string);
  socket.onclose = (event) => events.closed(event.code);
  return { send: (text) => socket.send(text), close: () => socket.close() };
};

/** Open the chat of a shop. What arrives while nobody looks is counted for the page around it. */
export function openChat(shopId: string, topic: string | null): Chat {
  const isFramed = window.parent !== window;
  const visited = shallowRef<Visited>(NOTHING);
  const shop = shallowRef<Shop | null>(null);
  const isNowhere = ref(false);
  const isAway = ref(false);
  const isShown = ref(!isFramed);
  const isAsked = ref(!isFramed);
  const seenUpTo = ref<string | null>(null);
  const theirs = () => [...visited.value.earlier, ...(visited.value.conversation?.items ?? [])].filter((item) => item.type === "chat.message.v1" && item.by !== "buyer");

  const visit = new Visit(
    { shop: shopId, topic, memory: memoryOf(shopId), alone: (work) => alone(`peakdesk-w${shopId}`, work) },
    dial,
    systemClock,
    (now) => {
      visited.value = now;
      tellCount();
    },
    crypto.randomUUID(),
  );

  function tell(message: Record<string, unknown>): void {
    // Only sites that the shop named can be around this frame; what is told them is no secret.
    if (isFramed) window.parent.postMessage(message, "*");
  }

  function tellCount(): void {
    const all = theirs();
    const index = all.findLastIndex((item) => item.id === seenUpTo.value);
    tell({ peakdesk: "unread", count: isShown.value ? 0 : all.length - 1 - index, seen: seenUpTo.value });
  }

  function seen(): void {
    if (!isShown.value || document.visibilityState !== "visible") return;
    seenUpTo.value = theirs().at(-1)?.id ?? seenUpTo.value;
    visit.read();
    tellCount();
  }

  addEventListener("message", (event: MessageEvent) => {
    const said = event.data as { peakdesk?: unknown; asked?: unknown; seen?: unknown } | null;
    if (event.source !== window.parent || !isFramed || typeof said !== "object" || said === null) return;
    // A page's script of before this release says nothing of it, and opens nothing by itself.
    isAsked.value = said.asked !== false;
    // An earlier page of the tab knows what was seen on it.
    if (typeof said.seen === "string") seenUpTo.value ??= said.seen;
    if (said.peakdesk === "open") isShown.value = true;
    else if (said.peakdesk === "closed") {
      if (isShown.value) seenUpTo.value = theirs().at(-1)?.id ?? seenUpTo.value;
      isShown.value = false;
    }
    tellCount();
  });
  document.addEventListener("visibilitychange", seen);

  async function introduce(): Promise<void> {
    for (;;) {
      const answer = await fetch(`/v1/widget/${encodeURIComponent(shopId)}`).catch(() => null);
      isNowhere.value = answer?.status === NOT_FOUND;
      if (answer?.ok) shop.value = (await answer.json()) as Shop;
      isAway.value = shop.value === null && !isNowhere.value;
      if (!isAway.value) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  void introduce();
  void visit.start();
  tell({ peakdesk: "ready" });

  return {
    visit,
    visited,
    shop,
    isNowhere,
    isCutOff: computed(() => isAway.value || ["lost", "stopped"].includes(visited.value.connection)),
    isShown,
    isAsked,
    isFramed,
    putAway: () => tell({ peakdesk: "close" }),
    seen,
  };
}

function memoryOf(shopId: string): Memory {
  const key = `peakdesk.visit.${shopId}`;
  let wasHere: boolean | null = null;
  try {
    wasHere = localStorage.getItem(key) !== null;
  } catch {
    // Storage is forbidden in some frames, where the cookie is all that is kept.
  }
  return {
    get wasHere() {
      return wasHere;
    },
    set wasHere(now: boolean | null) {
      wasHere = now;
      try {
        if (now) localStorage.setItem(key, "1");
      } catch {
        // As above.
      }
    },
  };
}

/** Some frames may take no lock: then two tabs that begin at once are two visitors, and nothing worse. */
async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  let isBegun = false;
  const begun = () => {
    isBegun = true;
    return work();
  };
  try {
    return (await navigator.locks.request(name, begun)) as T;
  } catch (error) {
    if (isBegun) throw error;
    return work();
  }
}
