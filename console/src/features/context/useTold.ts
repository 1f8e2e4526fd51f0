import { useI18n } from "vue-i18n";

import type { Problem } from "@/core/types.ts";
import { inShop } from "@/zone.ts";

/** How money, times and refusals are written here. */
export function useTold() {
  const { t, te, d, n } = useI18n();
  const money = (fen: number) => n(fen / 100, { style: "currency", currency: "CNY", currencyDisplay: "narrowSymbol" });
  const moment = (at: string) => d(new Date(at), inShop({ month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }));
  /** Words for a code where there are some, else the code and what the log knows it by. */
  const why = ({ code, trace }: Problem) => {
    const key = `context.why.${code}`;
    return te(key) ? t(key) : t("context.why.other", { code, trace: trace ?? "" });
  };
  return { money, moment, why };
}
