/** Figures of a stretch of days: the whole, its parts and the agents', all of one question. */

import { shallowRef, watch, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

import { rowsOf, type Answer, type ReportRow } from "./report.ts";

export interface Asked {
  profile: string;
  from: string;
  /** Excluded. */
  to: string;
  bucket: "hour" | "day";
}

export interface Report {
  asked: Asked;
  /** Of the whole stretch, by the shop's midnights. */
  start: number;
  end: number;
  whole: ReportRow | null;
  parts: readonly ReportRow[];
  agents: readonly ReportRow[];
  withinS: number;
  firstWithinS: number;
}

/** What is asked for by name: of the whole, and of each row for the reasons of its empty cells. */
const CELLS = "art,reply_rate,first_within";
const WHOLE = [CELLS, ...["frt", "round"].flatMap((of) => ["p50", "p90", "p99", "max"].map((rank) => `${of}_${rank}`)), "missed", "assigned_silent", "never_assigned", "left_in_queue"].join(",");

export function useReport(wanted: () => Asked | null): { report: Ref<Report | null>; status: Ref<"asked" | "known" | "failed">; problem: Ref<Problem | null>; again: () => Promise<void>; file: () => Promise<string> } {
  const { core, live } = useLive();
  const report = shallowRef<Report | null>(null);
  const status = shallowRef<"asked" | "known" | "failed">("asked");
  const problem = shallowRef<Problem | null>(null);
  let asking = 0;

  function path(asked: Asked, more: Record<string, string>): string {
    const { profile, from, to } = asked;
    return `/v1/monitor/figures?${new URLSearchParams({ shop: live.me?.shopId ?? "", profile, from, to, ...more })}`;
  }

  async function again(): Promise<void> {
    const asked = wanted();
    if (asked === null) return;
    asking += 1;
    const mine = asking;
    status.value = "asked";
    try {
      const questions: Record<string, string>[] = [{ metrics: WHOLE }, { bucket: asked.bucket, metrics: CELLS }, { by: "agent", metrics: CELLS }];
      const answers = await Promise.all(questions.map((more) => core.get(path(asked, more))));
      const [whole, parts, agents] = answers as [Answer, Answer, Answer];
      if (mine !== asking) return;
      report.value = {
        asked,
        start: Date.parse(whole.start),
        end: Date.parse(whole.end),
        whole: rowsOf(whole)[0] ?? null,
        parts: rowsOf(parts),
        agents: rowsOf(agents),
        withinS: whole.within_ms / 1_000,
        firstWithinS: whole.first_within_ms / 1_000,
      };
      status.value = "known";
    } catch (error) {
      if (mine !== asking) return;
      problem.value = error as Problem;
      status.value = "failed";
    }
  }

  async function file(): Promise<string> {
    const asked = wanted();
    return asked === null ? "" : ((await core.sheet(path(asked, { by: "agent", bucket: asked.bucket }))) as string);
  }

  watch(() => JSON.stringify(wanted()), again, { immediate: true });
  return { report, status, problem, again, file };
}
