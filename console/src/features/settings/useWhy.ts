import { useI18n } from "vue-i18n";

import type { Problem } from "@/core/types.ts";

export interface Words {
  /** Say why nothing was kept: by the section's words, those of all sections, else by the code and its trace. */
  why(problem: Partial<Problem>): string;
  /** Say what is wrong with a field: by the section's words, else by the service's own. */
  fault(field: string, detail?: string): string;
}

/** Words of refusals in a section of settings, whose words stand under `section`. */
export function useWhy(section: string): Words {
  const { t, te } = useI18n();
  return {
    why({ code = "unreachable", title = "", trace = "" }) {
      const named = [`${section}.why.${code}`, `settings.why.${code}`].find((key) => te(key) || te(key, "zh-CN"));
      return named === undefined ? t("settings.unsaved", { code, title, trace }) : t(named);
    },
    fault(field, detail = "") {
      const named = `${section}.fault.${field}`;
      return te(named) || te(named, "zh-CN") ? t(named) : t("settings.fault", { detail });
    },
  };
}
