/** The shop's skill groups, for to look at one group's agents alone. */

import { onMounted, shallowRef, type Ref } from "vue";

import { useLive } from "@/live.ts";

export interface Group {
  id: string;
  name: string;
}

/** Without an answer there is none to choose: the board shows everybody. */
export function useGroups(): Ref<readonly Group[]> {
  const { core } = useLive();
  const groups = shallowRef<readonly Group[]>([]);
  onMounted(async () => {
    try {
      groups.value = ((await core.get("/v1/skill-groups")) as { items: Group[] }).items;
    } catch {
      groups.value = [];
    }
  });
  return groups;
}
