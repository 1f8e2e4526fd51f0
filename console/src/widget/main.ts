/** A shop's chat: `/widget/<shop>`, with `?topic=`, `?lang=zh-CN|en` and `?theme=light|dark` as its page wishes. */

import { createApp } from "vue";

import { openChat } from "@/features/widget/chat.ts";
import ChatPage from "@/features/widget/ChatPage.vue";
import { i18n, speak, type Language } from "@/locales/i18n.ts";
import "@/ui/tokens.css";
import "@/ui/base.css";
import "@/ui/tones.css";
import "@/ui/controls.css";

const wished = new URLSearchParams(location.search);
const own: Language = navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
const theme = wished.get("theme");
const isDark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);

document.documentElement.dataset.theme = isDark ? "dark" : "light";
await speak(wished.get("lang") === "en" ? "en" : wished.get("lang") === "zh-CN" ? "zh-CN" : own);
const shop = decodeURIComponent(location.pathname.split("/")[2] ?? "");
createApp(ChatPage, { chat: openChat(shop, wished.get("topic")) }).use(i18n).mount("#app");
