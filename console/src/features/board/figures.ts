/** What a board's sums say. Pure. */

import type { AgentTile, Board, BoardFigures } from "@/core/boards.ts";
import type { AgentState, Levels } from "@/core/types.ts";

/** 0: nothing to say; 1: look; 2: too long; 3: over the limit. */
export type Level = 0 | 1 | 2 | 3;

/** Mean response in ms; null where no round counts yet, which is not 0. */
export function meanMs(figures: BoardFigures | undefined): number | null {
  return figures === undefined || figures.rounds === 0 ? null : figures.roundMs / figures.rounds;
}

/** Share of sessions whose first response was in time; null where there is no session yet. */
export function firstShare(figures: BoardFigures | undefined): number | null {
  return figures === undefined || figures.sessions === 0 ? null : figures.firstWithin / figures.sessions;
}

/**
 * Return the level of a wait. A board does not say whose first answer is owed, so a wait counts by the
 * limits of later ones: a colour may come late here, and never without reason.
 */
export function levelOf(since: number | null, now: number, levels: Levels | null): Level {
  if (since === null || levels === null) return 0;
  const [notice, warn, breach] = levels.later;
  const seconds = (now - since) / 1_000;
  return seconds >= breach ? 3 : seconds >= warn ? 2 : seconds >= notice ? 1 : 0;
}

/** Return who belongs to a skill group, or everybody where none is named. */
export function inGroup(agents: readonly AgentTile[], group: string): readonly AgentTile[] {
  return group === "" ? agents : agents.filter((tile) => tile.groups?.includes(group));
}

/** Count agents by state; null while some of them did not fit into the board. */
export function byState(board: Board): Readonly<Record<AgentState, number>> | null {
  if (board.agentsLeftOut > 0) return null;
  const counts: Record<AgentState, number> = { online: 0, busy: 0, suspended: 0, break: 0, offline: 0 };
  for (const tile of board.agents) counts[tile.state] += 1;
  return counts;
}

/** Count who waits unassigned; null where it is not told and not everybody who waits is listed. */
export function queued(board: Board): number | null {
  if (board.queued !== null) return board.queued;
  return board.longest.length < board.waiting ? null : board.longest.filter((one) => one.agent === null).length;
}

/** Twice the pause after which a board with somebody waiting is published anew, and a little. */
const OVERDUE_MS = 12_000;

/** Return how far what is shown lags behind, in ms; 0 where it keeps up. */
export function lagMs(board: Board, now: number): number {
  const age = Math.max(0, now - board.publishedAt);
  if (board.delayedMs > 0) return board.delayedMs + age;
  return board.waiting > 0 && age > OVERDUE_MS ? age : 0;
}

/** Marks come every two seconds: after so long, nobody looks after the figures any more. */
const NOT_CURRENT_MS = 8_000;

/** Return since when figures are not current any more; null while they are, or where nobody says how far they are. */
export function notCurrentSince(board: Board, through: number | null, now: number): number | null {
  if (through === null) return null;
  const counted = Math.max(through, board.publishedAt - board.delayedMs);
  return now - counted > NOT_CURRENT_MS ? counted : null;
}

/** A wait that is only estimated moves by so much between two boards. */
const JITTER_MS = 1_500;

/** Keep the objects of tiles that say the same as before, so that their rows are not drawn again. */
export function kept(before: ReadonlyMap<string, AgentTile>, tiles: readonly AgentTile[]): AgentTile[] {
  return tiles.map((tile) => {
    const known = before.get(tile.id);
    return known !== undefined && isSame(known, tile) ? known : tile;
  });
}

function isSame(a: AgentTile, b: AgentTile): boolean {
  const waits = a.waitingSince === null || b.waitingSince === null ? a.waitingSince === b.waitingSince : Math.abs(a.waitingSince - b.waitingSince) < JITTER_MS;
  if (!waits || a.name !== b.name || a.state !== b.state || a.open !== b.open || a.breaching !== b.breaching) return false;
  if (a.capacity !== b.capacity || a.wrongs !== b.wrongs || a.groups?.join() !== b.groups?.join()) return false;
  const profiles = Object.keys(b.figures);
  return profiles.length === Object.keys(a.figures).length && profiles.every((name) => isSameFigures(a.figures[name], b.figures[name]));
}

function isSameFigures(a: BoardFigures | undefined, b: BoardFigures | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.rounds === b.rounds && a.roundMs === b.roundMs && a.unanswered === b.unanswered && a.sessions === b.sessions && a.firstWithin === b.firstWithin;
}
