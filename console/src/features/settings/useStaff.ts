import { onMounted, ref, shallowRef, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

import type { Group, Member } from "./staff.ts";

const PAGE = 200;
/** The largest shop that is planned for has 5,000 people; of a larger one some are not listed. */
const PAGES = 25;

interface Page {
  items: Member[];
  next_cursor?: string | null;
}

export interface StaffList {
  /** Null until the platform answered once. */
  staff: Readonly<Ref<readonly Member[] | null>>;
  groups: Readonly<Ref<readonly Group[]>>;
  /** Code of why they could not be read the last time, empty if they could. */
  failed: Readonly<Ref<string>>;
  look(): Promise<void>;
  /** Show somebody as he is by now, or for the first time. */
  put(member: Member): void;
}

/** Everybody who works in one's shop, and its groups. */
export function useStaff(): StaffList {
  const { core } = useLive();
  const staff = shallowRef<readonly Member[] | null>(null);
  const groups = shallowRef<readonly Group[]>([]);
  const failed = ref("");

  async function everybody(): Promise<Member[]> {
    const all: Member[] = [];
    let after = "";
    for (let pages = 0; pages < PAGES; pages += 1) {
      const page = (await core.get(`/v1/staff?limit=${PAGE}${after}`)) as Page;
      all.push(...page.items);
      if (!page.next_cursor) break;
      after = `&cursor=${encodeURIComponent(page.next_cursor)}`;
    }
    return all;
  }

  async function look(): Promise<void> {
    try {
      const asked = core.get("/v1/skill-groups") as Promise<{ items: Group[] }>;
      const [people, named] = await Promise.all([everybody(), asked]);
      [staff.value, groups.value, failed.value] = [people, named.items, ""];
    } catch (refused) {
      failed.value = (refused as Partial<Problem>).code ?? "unreachable";
    }
  }

  function put(member: Member): void {
    const all = staff.value ?? [];
    const isListed = all.some((one) => one.id === member.id);
    staff.value = isListed ? all.map((one) => (one.id === member.id ? member : one)) : [...all, member];
  }

  onMounted(() => void look());
  return { staff, groups, failed, look, put };
}
