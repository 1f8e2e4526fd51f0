/**
 * What stands in a composer: typed here, written in another tab, or come back from the gate. None of
 * these costs another one its words.
 */

import { ref, shallowRef, watch, type Ref } from "vue";

import type { Refusal } from "@/core/types.ts";
import { rejoined } from "@/words.ts";

export interface Given {
  draft: () => string;
  refusal: () => Refusal | null;
  /** Whether somebody writes here. */
  isFocused: () => boolean;
  /** Whether an input method has words that are not the text's yet. */
  isComposing: () => boolean;
  /** Keep this as the draft; `over` is what stood here before. */
  keep: (text: string, over: string) => void;
}

export interface Words {
  text: Ref<string>;
  /** What came back while somebody typed on, with what he typed. */
  cameBack: Readonly<Ref<Refusal | null>>;
  /** Something was typed. */
  typed(): void;
  /** The input method let go of its words. */
  composed(): void;
  /** Put these words behind what stands here. */
  add(words: string): void;
  /** It was sent. */
  empty(): void;
}

export function useWords({ draft, refusal, isFocused, isComposing, keep }: Given): Words {
  const text = ref(draft());
  const cameBack = shallowRef<Refusal | null>(null);
  /** What was told from here and is not heard of yet: an echo is no news, and what was sent does not return by it. */
  let told: string[] = [];
  /** What came back while an input method is at work, which would not let go of its own words. */
  let held: Refusal | null = null;
  let last = draft();

  // What another tab wrote, or what came back, unless somebody wrote on here meanwhile.
  watch(draft, (now, before) => {
    if (isEcho(now) || isComposing()) return;
    if (now !== text.value && (!isFocused() || text.value === "" || text.value === before)) set(now);
  });
  watch(refusal, (now, before) => {
    const isKnown = text.value !== "" && now?.id === before?.id && now?.text === before?.text;
    if (now === null || isKnown) return;
    if (isComposing()) held = now;
    else takeBack(now);
  });

  function set(now: string): void {
    text.value = last = now;
  }

  function tell(now: string): void {
    set(now);
    told.push(now);
  }

  /** Tell and keep. */
  function write(now: string): void {
    const over = last;
    tell(now);
    keep(now, over);
  }

  function isEcho(now: string): boolean {
    const at = told.lastIndexOf(now);
    told = at < 0 ? [] : told.slice(at + 1);
    return at >= 0;
  }

  /** What came back stands before what was typed meanwhile. */
  function takeBack(now: Refusal): void {
    const whole = rejoined(now.text, text.value);
    if (whole === now.text) return set(whole);
    // The signature is for the words alone.
    const { code, hits, id, incident } = now;
    cameBack.value = { code, hits, id, text: whole, ...(incident === undefined ? {} : { incident }) };
    write(whole);
  }

  return {
    text,
    cameBack,
    typed() {
      if (held !== null || text.value === last) return;
      write(text.value);
    },
    add(words) {
      write(rejoined(text.value, words));
    },
    composed() {
      const back = held;
      held = null;
      if (back !== null) takeBack(back);
    },
    empty() {
      tell("");
      cameBack.value = null;
    },
  };
}
