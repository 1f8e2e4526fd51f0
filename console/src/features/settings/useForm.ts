import { computed, onScopeDispose, reactive, ref, shallowRef, watch, type ComputedRef, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";

import { held } from "./leaving.ts";

/** What a form shows, and the version of it; 0 where it is not kept yet. */
export interface Kept<Values> {
  values: Values;
  version: number;
}

export interface Written<Values extends object> {
  /** Keep the values. Rejects with a `Problem`: `stale` where somebody else was faster. */
  write(values: Values, kept: Kept<Values>): Promise<Kept<Values>>;
  /** Read them anew, after somebody else was faster. */
  read?(): Promise<Kept<Values>>;
  /** Say what is wrong before anybody is asked: a name of a field, and its words. */
  check?(values: Values): Partial<Record<keyof Values, string>>;
  /** Return words for what a service found wrong with a field, in its part of that number where it has several. */
  fault(field: string, detail: string, part?: number): string;
  /** The field that a refusal is about which names none, by its code. */
  places?: Partial<Record<string, keyof Values & string>>;
  /** Return words for why nothing was kept. */
  why(problem: Problem): string;
}

export interface Form<Values extends object> {
  /** What stands in the fields. */
  readonly values: Values;
  readonly isDirty: ComputedRef<boolean>;
  readonly isBusy: Readonly<Ref<boolean>>;
  /** Words for what is wrong with a field, by its name. */
  readonly errors: Readonly<Ref<Partial<Record<string, string>>>>;
  /** Words for why nothing was kept, empty if that is at a field or all is well. */
  readonly problem: Readonly<Ref<string>>;
  /** What somebody else kept meanwhile; null where nobody did. */
  readonly theirs: Readonly<Ref<Values | null>>;
  /** Show other values; what stood in the fields is gone. */
  show(kept: Kept<Values>): void;
  /** Keep what stands in the fields; return whether it is kept. */
  save(): Promise<boolean>;
  /** Give up what stands in the fields. */
  discard(): void;
  /** Keep one's own values over those of somebody else. */
  insist(): Promise<boolean>;
  /** Take the values of somebody else. */
  yield(): void;
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
const copy = <Values>(values: Values): Values => JSON.parse(JSON.stringify(values)) as Values;

/** A form over one thing that others may change too. What is written stays until it is kept or given up. */
export function useForm<Values extends object>(first: Kept<Values>, how: Written<Values>): Form<Values> {
  const kept = shallowRef(first);
  const values = reactive(copy(first.values)) as Values;
  const isBusy = ref(false);
  const errors = shallowRef<Partial<Record<string, string>>>({});
  const problem = ref("");
  const others = shallowRef<Kept<Values> | null>(null);
  const isDirty = computed(() => !same(values, kept.value.values));

  const owner = {};
  watch(isDirty, (dirty) => (dirty ? held.add(owner) : held.delete(owner)), { immediate: true, flush: "sync" });
  onScopeDispose(() => held.delete(owner));

  function show(now: Kept<Values>): void {
    kept.value = now;
    Object.assign(values, copy(now.values));
    [errors.value, problem.value, others.value] = [{}, "", null];
  }

  async function refused(cause: Problem): Promise<void> {
    if (cause.code === "stale" && how.read !== undefined) {
      others.value = await how.read();
      return;
    }
    const place = how.places?.[cause.code];
    if (place !== undefined) {
      errors.value = { [place]: how.why(cause) };
      return;
    }
    const known = (cause.faults ?? []).map((one) => ({ ...partOf(one.pointer), detail: one.detail })).filter(({ field }) => field in values);
    errors.value = Object.fromEntries(known.map(({ field, part, detail }) => [field, how.fault(field, detail, part)]));
    problem.value = known.length > 0 && known.length === cause.faults?.length ? "" : how.why(cause);
  }

  /**
   * Of a thing that others changed elsewhere, the version is another and the fields are not. Where the fields are as one wants them,
   * it is kept: one wrote it oneself, and the answer was lost.
   */
  async function write(): Promise<Kept<Values>> {
    try {
      return await how.write(copy(values), kept.value);
    } catch (cause) {
      if ((cause as Problem).code !== "stale" || how.read === undefined) throw cause;
      const now = await how.read();
      if (same(now.values, values)) return now;
      if (!same(now.values, kept.value.values)) throw cause;
      kept.value = now;
      return await how.write(copy(values), now);
    }
  }

  async function save(): Promise<boolean> {
    if (isBusy.value) return false;
    [errors.value, problem.value, others.value] = [how.check?.(copy(values)) ?? {}, "", null];
    if (Object.keys(errors.value).length > 0) return false;
    isBusy.value = true;
    try {
      show(await write());
      return true;
    } catch (cause) {
      await refused(cause as Problem).catch((again: unknown) => (problem.value = how.why(again as Problem)));
      return false;
    } finally {
      isBusy.value = false;
    }
  }

  async function insist(): Promise<boolean> {
    if (others.value !== null) kept.value = others.value;
    return save();
  }

  return {
    values,
    isDirty,
    isBusy,
    errors,
    problem,
    theirs: computed(() => others.value?.values ?? null),
    show,
    save,
    discard: () => show(kept.value),
    insist,
    yield: () => others.value !== null && show(others.value),
  };
}

/** Return the field that a JSON pointer stands in, and its part: `#/origins/0` is the first of `origins`. */
function partOf(pointer = ""): { field: string; part?: number } {
  const [, field = "", part = ""] = pointer.split("/");
  return /^\d+$/.test(part) ? { field, part: Number(part) } : { field };
}
