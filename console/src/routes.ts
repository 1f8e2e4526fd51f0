/** Places: each is a chunk of its own, so that nobody's first screen loads another role's. */

import type { RouteRecordRaw } from "vue-router";

import { lazily } from "./shell/chunks.ts";

const nowhere = lazily(() => import("./shell/Nowhere.vue"));
const signIn = lazily(() => import("./features/session/SignInPage.vue"));
const desk = lazily(() => import("./places/DeskPlace.vue"));

/** What is fetched at idle. */
export const parts = [desk, signIn, nowhere];

export const routes: RouteRecordRaw[] = [
  { path: "/", name: "start", component: nowhere, meta: { title: "shell.product" } },
  { path: "/sign-in", name: "sign-in", component: signIn, meta: { title: "shell.places.signIn", open: true } },
  { path: "/desk/:conversation?", name: "desk", component: desk, meta: { title: "shell.places.desk" } },
  { path: "/:nowhere(.*)*", redirect: "/" },
];
