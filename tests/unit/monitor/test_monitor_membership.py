"""Why a monitor does not fold: another book rules, or it has not joined yet (H32)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from kit.bus.loops import BatchLoop
from kit.clock import SystemClock
from kit.errors import Unavailable
from services.monitor.fold import membership, spans
from services.monitor.fold.membership import Membership
from tests.waiting import eventually

pytestmark = pytest.mark.unit

Lines = Iterable[MutableMapping[str, Any]]


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the store answers, look by look; without an answer it is away."""
    answers: list[bool] = []

    async def is_newest(*_: object, **__: object) -> bool:
        if not answers:
            raise Unavailable("the store is away")
        return answers.pop(0)

    monkeypatch.setattr(spans, "is_newest", is_newest)
    monkeypatch.setattr(membership, "LOOK_S", 0.01)
    return answers


async def test_a_monitor_that_has_not_looked_yet_says_that_it_has_not_joined() -> None:
    with pytest.raises(Unavailable, match="has not joined its group yet"):
        await _member().ping()


async def test_a_monitor_whose_store_is_away_blames_no_other_book() -> None:
    member = _member()

    with capture_logs() as lines:
        await _run(member, until=lambda: bool(_said(lines, "fold.book_unknown")))

    with pytest.raises(Unavailable, match="has not joined its group yet"):
        await member.ping()
    assert not _said(lines, "fold.stands_aside")


async def test_a_monitor_of_an_earlier_book_says_so_and_logs_it_once(looks: list[bool]) -> None:
    looks += [False, False]
    member = _member()

    with capture_logs() as lines:
        # The store is away at the third look: what was true stays true.
        await _run(member, until=lambda: bool(_said(lines, "fold.book_unknown")))

    with pytest.raises(Unavailable, match="another book of profiles is newer"):
        await member.ping()
    assert [line["book"] for line in _said(lines, "fold.stands_aside")] == ["earlier"]


class _Store:
    @asynccontextmanager
    async def write_across(self, _reason: str) -> AsyncIterator[None]:
        yield


def _member() -> Membership:
    store: Any = _Store()
    return Membership(store, "earlier", make_loop=_never, left=_left, clock=SystemClock())


def _never() -> BatchLoop:
    raise AssertionError("it must not join")


async def _left() -> None:
    raise AssertionError("it never joined")


async def _run(member: Membership, *, until: Callable[[], bool]) -> None:
    running = asyncio.create_task(member.run())
    await eventually(until)
    await member.stop()
    await running


def _said(lines: Lines, event: str) -> list[MutableMapping[str, Any]]:
    return [line for line in lines if line["event"] == event]
