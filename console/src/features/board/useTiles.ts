/** The figures on top of the board, in words. */

import { computed, type ComputedRef } from "vue";
import { useI18n } from "vue-i18n";

import type { Board } from "@/core/boards.ts";
import type { Levels } from "@/core/types.ts";
import { waited } from "@/now.ts";

import { counted } from "./drills.ts";
import { byState, firstShare, levelOf, meanMs, queued, type Level } from "./figures.ts";
import type { Facts } from "./useBoard.ts";

export interface Figure {
  key: string;
  label: string;
  /** Null: there is none, and `about` says why. */
  value: string | null;
  unit: string;
  about: string;
  level: Level;
  /** What lies behind it. */
  drill: string;
}

interface Given {
  board: Board;
  profile: string;
  facts: Facts | null;
  levels: Levels | null;
  now: number;
}

export function useTiles(given: () => Given): ComputedRef<Figure[]> {
  const { t, n } = useI18n();
  const plain = { unit: "", level: 0 as Level };

  const nameOf = (board: Board, agent: string | null | undefined) =>
    agent ? (board.agents.find((one) => one.id === agent)?.name ?? t("board.someAgent")) : t("board.inQueue");

  function waiting({ board, levels, now }: Given): Figure[] {
    const inQueue = queued(board);
    const [, warned, over] = board.levels ?? [0, 0, 0];
    const late = over > 0 ? t("board.overLimit", { count: n(over) }) : warned > 0 ? t("board.overWarn", { count: n(warned) }) : null;
    const split = board.waiting === 0 ? t("board.nobodyWaits") : inQueue === null ? t("board.onBoard") : t("board.waitingSplit", { queued: inQueue, assigned: board.waiting - inQueue });
    const about = late === null ? split : `${late} · ${split}`;
    const level = levelOf(board.waitingSince, now, levels);
    return [
      { ...plain, key: "waiting", label: t("board.tiles.waiting"), value: n(board.waiting), about, drill: "waiting" },
      {
        ...plain,
        key: "longest",
        label: t("board.tiles.longest"),
        value: board.waitingSince === null ? null : waited(now - board.waitingSince),
        about: board.waitingSince === null ? t("board.nobodyWaits") : nameOf(board, board.longest[0]?.agent),
        level,
        drill: "waiting",
      },
    ];
  }

  function load({ board }: Given): Figure[] {
    const states = byState(board);
    const others = (["busy", "suspended", "break"] as const).filter((state) => (states?.[state] ?? 0) > 0);
    const away = others.map((state) => t("board.counted", { what: t(`board.states.${state}`), count: states?.[state] ?? 0 }));
    const room = board.capacity === null ? [] : [t("board.capacity", { count: n(board.capacity) })];
    const about = states === null ? t("board.notAllListed", { count: board.agentsLeftOut }) : [...room, ...away].join(" · ") || t("board.nobodyAway");
    return [
      { ...plain, key: "open", label: t("board.tiles.open"), value: n(board.open), about: t("board.messages", { count: n(board.messages) }), drill: "open" },
      { ...plain, key: "online", label: t("board.tiles.online"), value: states === null ? null : n(states.online), about, drill: "online" },
    ];
  }

  function response({ board, profile, facts }: Given): Figure[] {
    const figures = board.figures[profile];
    const window = facts?.profiles.find((one) => one.name === profile)?.window;
    const none = window === undefined ? t("board.noneYet") : t("board.noneYetWindow", window);
    const mean = meanMs(figures);
    const share = firstShare(figures);
    return [
      {
        ...plain,
        key: "mean",
        label: t("board.tiles.mean"),
        value: mean === null ? null : n(mean / 1_000, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
        unit: t("board.seconds"),
        about: mean === null ? none : t("board.rounds", { count: n(figures?.rounds ?? 0) }),
        drill: "figures",
      },
      {
        ...plain,
        key: "first",
        label: t("board.tiles.first", { seconds: figures?.firstWithinS ?? 30 }),
        value: share === null ? null : n(share * 100, { minimumFractionDigits: share === 1 ? 0 : 1, maximumFractionDigits: 1 }),
        unit: t("board.percent"),
        about: share === null ? none : t("board.sessions", { count: n(figures?.sessions ?? 0) }),
        drill: "figures",
      },
      {
        ...plain,
        key: "unanswered",
        label: t("board.tiles.unanswered"),
        value: figures === undefined ? null : n(figures.unanswered),
        about: figures === undefined ? none : t("board.today"),
        drill: counted("rounds", "unanswered"),
      },
    ];
  }

  function wording({ board }: Given): Figure[] {
    const about = t("board.flags", { agent: n(board.flagsAgent), buyer: n(board.flagsBuyer) });
    return [{ ...plain, key: "held", label: t("board.tiles.held"), value: n(board.held), about, drill: "held" }];
  }

  return computed(() => {
    const now = given();
    return [...waiting(now), ...load(now), ...response(now), ...wording(now)];
  });
}
