"""Judges once more what was settled before it was known whether the shop was staffed (H35)."""

from collections.abc import Callable
from typing import Final

from kit.postgres import Database
from services.monitor.directory.rules import Rules
from services.monitor.profiles.domain import ProfileName
from services.monitor.response import repository
from services.monitor.response.domain import Score
from services.monitor.response.repository import Provisional
from services.monitor.response.rollups import CounterKey
from services.monitor.response.schemas import SCORES

MOST: Final = 500
"""Rows judged in one transaction."""

BATCHES: Final = 20
"""Transactions of a table in one go. Bots answer at once, before it is known who is there: at the
peak hundreds of rounds a second have to be judged again, and a backlog would grow all day."""


class Provisionals:
    """Rounds and sessions of which it is not known yet whether anybody was there."""

    def __init__(self, database: Database, rules: Rules, *, folds: Callable[[], bool]) -> None:
        """`folds`: whether the book of `rules` is the one that folds; another judges nothing."""
        self._db = database
        self._rules = rules
        self._folds = folds

    async def judge_due(self) -> int:
        """Judge what the staff reader is past by now; return how many rows."""
        judged = 0
        if not self._folds():
            return judged
        for table in repository.JUDGED:
            for _ in range(BATCHES):
                found, mended = await self._judge(table)
                judged += mended
                if found < MOST:
                    break
        return judged

    async def _judge(self, table: str) -> tuple[int, int]:
        """Judge a batch; return how many rows were due, and how many of them were ours."""
        staffing = self._rules.staffing
        async with self._db.write_across("what was settled before staff was read") as session:
            rows = await repository.provisional(
                session, table, before_ms=staffing.through_ms, limit=MOST
            )
            known = [(row, staffing.unstaffed(row.shop_id, row.at_ms)) for row in rows]
            judged = [(row, away) for row, away in known if away is not None]
            left_out = {
                row.name: {name: row.judged.pop(name) for name in self._left_out(row)}
                for row, away in judged
                if away
            }
            mended = await repository.mend(session, table, judged)
            off: dict[tuple[int, CounterKey], Score] = {}
            for row, _ in judged:
                scores = left_out.get(row.name, {}) if row.name in mended else {}
                for name, numbers in scores.items():
                    key = row.partition, CounterKey(row.shop_id, name, row.day, row.agent_id)
                    off[key] = off.get(key, Score()) + SCORES[table](numbers).times(-1)
            await repository.count(session, [(*key, score) for key, score in off.items()])
        return len(rows), len(mended)

    def _left_out(self, row: Provisional) -> list[ProfileName]:
        """Return the profiles that leave out what began while nobody was there.

        One that this book does not know says nothing: what an earlier book counted stays counted.
        """
        ruling = ((name, self._rules.book.in_force(name, row.day)) for name in row.judged)
        return [name for name, one in ruling if one is not None and not one.leave_messages_count]
