/** Places: each is a chunk of its own, so that nobody's first screen loads another role's. */

import type { RouteRecordRaw } from "vue-router";

import { lazily } from "./shell/chunks.ts";

/** What stands around every place; who signs in sees nothing of it. */
export const frame = lazily(() => import("./shell/Frame.vue"));
const nowhere = lazily(() => import("./shell/Nowhere.vue"));
const signIn = lazily(() => import("./features/session/SignInPage.vue"));
const desk = lazily(() => import("./places/DeskPlace.vue"));
/** The desk fetches it by itself, beside its own thread. */
const context = lazily(() => import("./features/context/ContextPane.vue"));
const todo = lazily(() => import("./places/TodoPlace.vue"));
const board = lazily(() => import("./places/BoardPlace.vue"));
/** The board fetches it by itself, once its figures are there. */
const curve = lazily(() => import("./features/board/WaitingCurve.vue"));
const search = lazily(() => import("./places/SearchPlace.vue"));
const reports = lazily(() => import("./places/ReportsPlace.vue"));
/** The place fetches them by itself, once one is chosen. */
const waits = lazily(() => import("./features/reports/WaitsPage.vue"));
const wording = lazily(() => import("./features/reports/WordingPage.vue"));
const settings = lazily(() => import("./places/SettingsPlace.vue"));

/** What is fetched at idle. */
export const parts = [frame, desk, context, todo, board, curve, search, reports, waits, wording, settings, signIn, nowhere];

export const routes: RouteRecordRaw[] = [
  { path: "/", name: "start", component: nowhere, meta: { title: "shell.product" } },
  { path: "/sign-in", name: "sign-in", component: signIn, meta: { title: "shell.places.signIn", open: true } },
  { path: "/desk/:conversation?", name: "desk", component: desk, meta: { title: "shell.places.desk" } },
  { path: "/todo/:item?", name: "todo", component: todo, meta: { title: "shell.places.todo" } },
  { path: "/board", name: "board", component: board, meta: { title: "shell.places.board" } },
  { path: "/search", name: "search", component: search, meta: { title: "shell.places.search" } },
  { path: "/reports/:name?", name: "reports", component: reports, meta: { title: "shell.places.reports" } },
  { path: "/settings/:section?/:id?", name: "settings", component: settings, meta: { title: "shell.places.settings" } },
  { path: "/:nowhere(.*)*", redirect: "/" },
];
