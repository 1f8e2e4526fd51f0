/** Work items as the services list them, in the order in which they fall due. Pure. */

export interface WorkItem {
  id: string;
  order_id: string;
  buyer_id: string;
  kind: string;
  /** Which time it is that somebody is asked to do it. */
  attempt: number;
  agent_id: string | null;
  also: string | null;
  due_at: string;
  /** How often it escalated. */
  level: number;
}

export const WHOSE = ["mine", "all"] as const;
export type Whose = (typeof WHOSE)[number];

/** As many as one page of the list holds. */
export const MOST = 200;

export function pathOf(whose: Whose, me: string): string {
  return `/v1/work-items?state=open&limit=${MOST}${whose === "mine" ? `&agent_id=${encodeURIComponent(me)}` : ""}`;
}

/** What falls due first stands first; ids are in the order in which items were opened. */
export function byDue(items: readonly WorkItem[]): WorkItem[] {
  return [...items].sort((a, b) => Date.parse(a.due_at) - Date.parse(b.due_at) || (a.id < b.id ? -1 : 1));
}

export function isOverdue(item: WorkItem, now: number): boolean {
  return Date.parse(item.due_at) < now;
}
