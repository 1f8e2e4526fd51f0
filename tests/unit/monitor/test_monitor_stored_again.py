"""A commit that is tried again stores what the first try would have stored."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from services.monitor.fold.measures import Stretch
from services.monitor.profiles.domain import ProfileName
from services.monitor.response import repository
from services.monitor.response.domain import Score
from services.monitor.response.measure import Changes, Response
from services.monitor.response.rollups import CounterKey
from tests.unit.monitor.papers import rules

pytestmark = pytest.mark.unit

KEY = CounterKey(ShopId("s"), ProfileName("qiyu"), date(2026, 11, 11), PersonId("anne"))
STORED = Score(rounds=1, round_ms=9_000, within=1)
NO_SESSION = cast("AsyncSession", None)


async def test_what_was_withdrawn_is_taken_off_once_though_the_commit_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted: list[dict[CounterKey, Score]] = []

    async def withdraw(*_: Any, rounds: Sequence[int], **__: Any) -> dict[CounterKey, Score]:
        """Give what a rolled back transaction leaves: every try finds the row again."""
        assert rounds == [7]
        return {KEY: STORED.times(-1)}

    async def add(*_: Any) -> None:
        """Store nothing."""

    async def count(_: AsyncSession, totals: Iterable[tuple[int, CounterKey, Score]]) -> None:
        counted.append({key: score for _, key, score in totals})

    for name, stand_in in {
        "withdraw": withdraw, "add_rounds": add, "add_sessions": add, "count": count,
    }.items():  # fmt: skip
        monkeypatch.setattr(repository, name, stand_in)
    measure, delta = Response(rules()), Changes()
    delta.withdraw([7], [])

    for _ in range(3):
        await measure.store(NO_SESSION, [(Stretch(1, 0, 8, 9), delta)])

    assert counted == [{KEY: STORED.times(-1)}] * 3
