import { onMounted, ref, shallowRef, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

export interface Read<Answer> {
  /** Null until the platform answered once. */
  answer: Readonly<Ref<Answer | null>>;
  /** Code of why it could not be read the last time, empty if it could. */
  failed: Readonly<Ref<string>>;
  look(): Promise<void>;
}

/** What is read when a section opens, and again when asked. */
export function useRead<Answer>(read: () => Promise<Answer>): Read<Answer> {
  const answer = shallowRef<Answer | null>(null);
  const failed = ref("");

  async function look(): Promise<void> {
    try {
      [answer.value, failed.value] = [await read(), ""];
    } catch (refused) {
      failed.value = (refused as Partial<Problem>).code ?? "unreachable";
    }
  }

  onMounted(() => void look());
  return { answer, failed, look };
}

/** The address of one's shop. */
export function useShopPath(): string {
  return `/v1/shops/${useLive().live.me?.shopId ?? ""}`;
}

/** What stands on several lines: each one once, without what is blank. */
export function linesOf(text: string): string[] {
  return [...new Set(text.split("\n").map((line) => line.trim()))].filter((line) => line !== "");
}
