/** The shop's profiles, and which of them a report is by: what the address says, else the one that levels go by. */

import { computed, onMounted, shallowRef, type ComputedRef, type Ref } from "vue";
import { useI18n } from "vue-i18n";

import { useLive } from "@/live.ts";

import type { Days } from "./useDays.ts";

interface Facts {
  profiles: readonly { name: string; title: { zh: string; en: string } }[];
  levels_profile: string | null;
}

export interface Profiles {
  all: ComputedRef<readonly { name: string; title: string }[]>;
  /** Empty until they are known. */
  chosen: ComputedRef<string>;
  failed: Ref<boolean>;
  ask: () => Promise<void>;
}

export function useProfiles(days: Days): Profiles {
  const { core } = useLive();
  const { locale } = useI18n();
  const facts = shallowRef<Facts | null>(null);
  const failed = shallowRef(false);

  async function ask(): Promise<void> {
    try {
      facts.value = (await core.get("/v1/console")) as Facts;
      failed.value = false;
    } catch {
      failed.value = true;
    }
  }
  onMounted(ask);
  const all = computed(() => (facts.value?.profiles ?? []).map(({ name, title }) => ({ name, title: locale.value === "en" ? title.en : title.zh })));
  const chosen = computed(() => {
    const known = all.value.map((each) => each.name);
    return [days.one("profile"), facts.value?.levels_profile ?? ""].find((name) => known.includes(name)) ?? known[0] ?? "";
  });
  return { all, chosen, failed, ask };
}
