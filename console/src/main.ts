import { createApp } from "vue";
import { createRouter, createWebHistory } from "vue-router";

import App from "./App.vue";
import { useLive } from "./live.ts";
import { i18n } from "./locales/i18n.ts";
import { parts, routes } from "./routes.ts";
import { fetchAtIdle } from "./shell/chunks.ts";
import { guard } from "./shell/guard.ts";
import { applyPreferences } from "./preferences.ts";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/tones.css";
import "./ui/controls.css";

const router = createRouter({ history: createWebHistory(), routes });
const isSecure = globalThis.isSecureContext && "SharedWorker" in globalThis;

await applyPreferences();
// Without a secure context there is no worker, no lock and no cookie: the sign-in says so by itself.
if (isSecure) guard(router, useLive().live);
createApp(App, { isSecure }).use(i18n).use(router).mount("#app");
fetchAtIdle(parts);
