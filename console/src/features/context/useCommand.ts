import { ref, shallowRef, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

export interface Command {
  isBusy: Readonly<Ref<boolean>>;
  problem: Readonly<Ref<Problem | null>>;
  /** Carry something out; false where it was refused, or nobody answered. */
  run(path: string, body: unknown, version?: number): Promise<boolean>;
  forget(): void;
}

/** A command that is said once, however often its button is pressed before somebody answers. */
export function useCommand(): Command {
  const { core } = useLive();
  const isBusy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  let meant = "";
  let key = "";

  async function run(path: string, body: unknown, version?: number): Promise<boolean> {
    if (isBusy.value) return false;
    const now = JSON.stringify([path, body]);
    // The same words after a lost answer are the same command; other words are another one.
    if (now !== meant) [meant, key] = [now, crypto.randomUUID()];
    isBusy.value = true;
    problem.value = null;
    try {
      await core.call("POST", path, body, version === undefined ? { key } : { key, version });
      meant = "";
      return true;
    } catch (refused) {
      problem.value = refused as Problem;
      return false;
    } finally {
      isBusy.value = false;
    }
  }

  return { isBusy, problem, run, forget: () => (problem.value = null) };
}
