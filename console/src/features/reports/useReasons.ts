/** A number as a report says it, and in its place the reason where there is none. */

import { useI18n } from "vue-i18n";

import type { Named } from "./report.ts";

export function useReasons(): {
  reason: (figure: Named | undefined) => string;
  percent: (share: number | null, figure?: Named) => string;
  seconds: (value: number | null, figure?: Named) => string;
} {
  const { t, te, n } = useI18n();

  /** A dash where the monitor gives no reason, or one that has no words here yet. */
  function reason(figure: Named | undefined): string {
    const key = `reports.empty.${figure?.why ?? ""}`;
    return te(key) ? t(key) : "–";
  }
  const percent = (share: number | null, figure?: Named) => (share === null ? reason(figure) : `${n(share * 100, { maximumFractionDigits: 1 })}%`);
  function seconds(value: number | null, figure?: Named): string {
    if (value === null) return reason(figure);
    return t(figure?.exact === false ? "reports.aboutSeconds" : "reports.inSeconds", { seconds: n(value, { maximumFractionDigits: 1 }) });
  }
  return { reason, percent, seconds };
}
