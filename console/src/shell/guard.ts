/** Who has not signed in sees the sign-in alone, and comes back to where they wanted to go. */

import { watch } from "vue";
import type { RouteLocationNormalized, RouteLocationRaw, Router } from "vue-router";

import type { State } from "@/core/types.ts";

import { homeOf, isOpenTo } from "./places.ts";
import { markUsed } from "./slot.ts";

type Shown = Readonly<Pick<State, "session" | "me">>;
type Target = Pick<RouteLocationNormalized, "name" | "fullPath" | "query" | "meta">;

/** Return where to go instead, or true. Only a path of our own is ever gone back to. */
export function admit(to: Target, shown: Shown): RouteLocationRaw | true {
  if (shown.session === "unknown") return true;
  if (shown.session === "out") return to.meta.open ? true : { name: "sign-in", query: next(to) };
  const role = shown.me?.role ?? "";
  if (to.name === "sign-in") return wantedBy(to) ?? homeOf(role) ?? "/";
  if (to.name === "start") return homeOf(role) ?? true;
  return isOpenTo(role, String(to.name)) ? true : "/";
}

/** Guard every step, and take one when somebody signs in or out, in this tab or another. */
export function guard(router: Router, shown: Shown): void {
  router.beforeEach((to) => admit(to, shown));
  watch(
    () => shown.session,
    async (session) => {
      if (session === "in") markUsed();
      // A worker that runs already answers before the first place is loaded: until then there is none to judge.
      await router.isReady().catch(() => undefined);
      const verdict = admit(router.currentRoute.value, shown);
      if (verdict !== true) void router.replace(verdict);
    },
  );
}

function next(to: Target): Record<string, string> {
  return to.fullPath === "/" || to.fullPath === "/desk" ? {} : { next: to.fullPath };
}

function wantedBy(to: Target): string | null {
  const wanted = to.query.next;
  return typeof wanted === "string" && /^\/(?![/\\])/.test(wanted) ? wanted : null;
}
