"""The judge of `just prove volume`: what it lets pass, asks a reason of, and refuses."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.faults.volume.ground import Ground
from tests.faults.volume.measuring import MOST, Row, Seen, because, compare, line
from tests.faults.volume.subjects import Once, Subject

pytestmark = pytest.mark.unit

REPEATS = 20


@dataclass
class Timed:
    """Stands for a database in which something takes so long, give or take a neighbour."""

    ms: float
    size: int = 51
    noise: float = 0.0
    draw: random.Random = field(default_factory=lambda: random.Random(5))
    asked: int = 0

    def once(self) -> Once:
        self.asked += 1
        return Once(self.ms * (1 + self.draw.uniform(0, self.noise)), self.size)


async def judged(few: Timed, many: Timed, *, dear: Callable[[], str] | None = None) -> Row:
    async def run(ground: Ground) -> Once:
        return cast("Timed", ground).once()

    async def because(ground: Ground) -> str:
        assert cast("Timed", ground) is many
        assert dear is not None
        return dear()

    subject = Subject("a list", run, dear=because if dear else None)
    return await compare(subject, cast("Ground", few), cast("Ground", many), repeats=REPEATS)


async def test_what_costs_a_little_more_holds() -> None:
    row = await judged(Timed(10), Timed(11.4))

    assert (row.verdict, row.held, row.pairs) == ("held", True, REPEATS)
    assert (row.empty_ms, row.full_ms) == (10, 11.4)
    assert row.growth == pytest.approx(0.14)


async def test_what_costs_a_fifth_more_needs_a_reason() -> None:
    refused = await judged(Timed(10), Timed(12))
    silent = await judged(Timed(10), Timed(12), dear=lambda: "")
    explained = await judged(Timed(10), Timed(12), dear=lambda: "a key of 400 MB, cache 256 MB")

    assert (refused.verdict, refused.held) == ("NOT HELD", False)
    assert (silent.verdict, silent.held) == ("NOT HELD", False)
    assert (explained.verdict, explained.held) == ("explained", True)
    assert line(explained).endswith("explained (a key of 400 MB, cache 256 MB)")


async def test_what_is_unclear_among_noise_is_asked_until_it_is_clear() -> None:
    few = Timed(10, noise=0.6, draw=random.Random(1))
    many = Timed(12.5, noise=0.6, draw=random.Random(2))

    row = await judged(few, many)

    assert not row.held
    assert REPEATS < row.pairs < MOST * REPEATS
    assert row.between[0] > 0.15
    assert few.asked == many.asked


async def test_what_stays_unclear_ends_and_is_judged_by_its_median() -> None:
    row = await judged(
        Timed(10, noise=1, draw=random.Random(1)), Timed(11.5, noise=1, draw=random.Random(2))
    )

    assert row.pairs == MOST * REPEATS
    assert row.between[0] <= 0.15 < row.between[1]
    assert row.held == (row.growth <= 0.15)


async def test_another_answer_among_many_rows_is_no_measurement() -> None:
    with pytest.raises(AssertionError, match="found"):
        await judged(Timed(10, size=50), Timed(10, size=51))


def test_a_list_may_read_what_its_answer_is_long() -> None:
    few = Seen("pk_orders", blocks=12, rows=510, whole=())
    apart = Seen("ix_orders_shop_id_id", blocks=54, rows=51, whole=())

    assert "51 of 51 rows on 54 blocks" in because(51, few, apart, more_ms=2)
    assert "the same work" in because(51, few, Seen("pk_orders", 13, 510, ()), more_ms=0.2)


def test_a_list_may_not_read_what_its_table_is_long() -> None:
    few = Seen("pk_orders", blocks=12, rows=510, whole=())

    assert because(51, few, Seen("pk_orders", 60, 900, ()), more_ms=0.2) == ""
    assert because(51, few, Seen("ix_orders_shop_id_id", 400, 51, ()), more_ms=0.2) == ""


def test_as_many_rows_in_much_more_time_are_no_reason() -> None:
    few = Seen("ix_counters_shop_id_day", blocks=90, rows=4800, whole=())

    assert because(100, few, few, more_ms=5) == ""
