/** Where a role is at home, and what its rail offers: only what there is a service for. */

import type { IconName } from "@/ui/icons.ts";

export interface Place {
  /** Name of its route, and of its words. */
  route: string;
  path: string;
  icon: IconName;
  roles: ReadonlySet<string>;
}

const CLERK = "clerk";
const CHATTING = ["agent", "senior", "aftersales", "complaint", "supervisor"];

/** In the order of the rail. A place comes into this list together with its route. */
const PLACES: readonly Place[] = [
  { route: "board", path: "/board", icon: "board", roles: new Set(["supervisor", "admin"]) },
  { route: "desk", path: "/desk", icon: "desk", roles: new Set(CHATTING) },
  { route: "todo", path: "/todo", icon: "todo", roles: new Set([...CHATTING, CLERK]) },
  { route: "search", path: "/search", icon: "search", roles: new Set([...CHATTING, "admin"]) },
  { route: "reports", path: "/reports", icon: "reports", roles: new Set(["supervisor", "admin"]) },
  { route: "settings", path: "/settings", icon: "settings", roles: new Set([...CHATTING, CLERK, "admin"]) },
];

/** Return the places of a role; roles hide what they may not use, the server decides. */
export function placesOf(role: string): readonly Place[] {
  return PLACES.filter((place) => place.roles.has(role));
}

/** Return where a role begins its day, null if there is no screen for it yet. */
export function homeOf(role: string): string | null {
  return placesOf(role)[0]?.path ?? null;
}

export function isOpenTo(role: string, route: string): boolean {
  return placesOf(role).some((place) => place.route === route);
}
