import { useI18n } from "vue-i18n";

import type { Problem } from "@/core/types.ts";

/** Why something did not work with a conversation, in words where there are some for the code. */
export function useWhy(): (refused: unknown) => string {
  const { t, te } = useI18n();
  return (refused) => {
    const { code } = refused as Problem;
    const why = `thread.handing.why.${code}`;
    return te(why) ? t(why) : t("thread.handing.why.other", { code });
  };
}
