import { createApp } from "vue";
import { createRouter, createWebHistory } from "vue-router";

import App from "./App.vue";
import { i18n, speak } from "./locales/i18n.ts";
import { routes } from "./routes.ts";
import "./ui/tokens.css";
import "./ui/base.css";

const router = createRouter({ history: createWebHistory(), routes });

await speak(document.documentElement.lang === "en" ? "en" : "zh-CN");
createApp(App).use(i18n).use(router).mount("#app");
