/** Places: each is a chunk of its own, so that nobody's first screen loads another role's. */

import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  {
    path: "/",
    name: "start",
    component: () => import("./shell/Nowhere.vue"),
    meta: { title: "shell.product" },
  },
  {
    path: "/sign-in",
    name: "sign-in",
    component: () => import("./features/session/SignInPage.vue"),
    meta: { title: "shell.places.signIn", open: true },
  },
  {
    path: "/desk/:conversation?",
    name: "desk",
    component: () => import("./places/DeskPlace.vue"),
    meta: { title: "shell.places.desk" },
  },
  { path: "/:nowhere(.*)*", redirect: "/" },
];
