"""What has had its time goes, batch by batch and a day as a whole; what has not stays (H50)."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import inspect

from contracts.conversation import ShopListed
from contracts.people import ShopId
from kit.clock import ManualClock
from kit.service import retention
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.measures import measures_of
from services.monitor.recount import service as recount
from services.monitor.retention.repository import ALERTS, EVIDENCE, FIGURES, Aged, Moment
from services.monitor.retention.service import AT_ONCE, LOOK_S, Expiry
from services.monitor.tables import Base
from tests.integration.monitor.rig import DAY, Rig
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

KEPT: Final = 30
NOW: Final = datetime(2027, 3, 1, 4, tzinfo=UTC)
"""Noon in Shanghai, and still the evening before in New York."""

FIRST: Final = {
    "Asia/Shanghai": (date(2027, 1, 30), datetime(2027, 1, 29, 16, tzinfo=UTC)),
    "America/New_York": (date(2027, 1, 29), datetime(2027, 1, 29, 5, tzinfo=UTC)),
}
"""By time zone, the first day that stays and the moment it began."""

KINDS: Final = [*FIGURES, *EVIDENCE, *ALERTS]
VALUES: Final[dict[type, Any]] = {
    bool: False, int: 0, str: "", list: [], object: {}, date: date(2027, 1, 1), datetime: NOW
}  # fmt: skip


def table(aged: Aged) -> str:
    return str(aged.row.__tablename__)


def row(aged: Aged, shop: str, at: Moment, number: int) -> Base:
    """Return a row of that kind and age; `number` tells it from others."""
    mapper = inspect(aged.row)
    made = {column.key: VALUES[column.columns[0].type.python_type] for column in mapper.attrs}
    for column in mapper.primary_key:
        if column.type.python_type in {int, str}:
            made[mapper.get_property_by_column(column).key] = column.type.python_type(number)
    return aged.row(**made | {aged.shop.key: shop, aged.at.key: at})


async def keep(rig: Rig, *rows: Base) -> None:
    async with rig.database.write_across("a test") as session:
        session.add_all(rows)


async def ages(rig: Rig, aged: Aged, shop: str) -> list[Moment]:
    found = await rig.rows(
        f"select {aged.at.key} from {table(aged)} where shop_id = :shop order by 1", shop=shop
    )
    return [at for (at,) in found]


def expiry(rig: Rig, clock: ManualClock, **zones: str) -> Expiry:
    directory = Directory()
    for shop, zone in zones.items():
        directory.list_shop(
            ShopListed(id=shop, time=NOW, shop_id=ShopId(shop), name="", version=1, time_zone=zone)
        )
    settings = rig.settings.model_copy(
        update=dict.fromkeys(("figures_kept_days", "evidence_kept_days", "alerts_kept_days"), KEPT)
    )
    known = asyncio.Event()
    known.set()
    return Expiry(rig.database, directory, settings, known=known, clock=clock)


async def swept(old: Expiry) -> int:
    total = 0
    while gone := await old.batch():
        total += gone
    return total


@pytest.mark.parametrize("aged", KINDS, ids=table)
async def test_a_shop_s_day_goes_once_it_is_older_than_what_is_kept(rig: Rig, aged: Aged) -> None:
    shops = {f"{zone.rpartition('/')[2]}_{table(aged)}": zone for zone in FIRST}
    stays: dict[str, Moment] = {}
    for shop, zone in shops.items():
        day, began = FIRST[zone]
        began_ms = round(began.timestamp() * 1000)
        by_day = isinstance(VALUES[aged.at.type.python_type], date)
        stays[shop] = day if by_day else began_ms
        goes: Moment = day - timedelta(days=1) if by_day else began_ms - 1
        number = list(shops).index(shop)
        await keep(
            rig, row(aged, shop, stays[shop], number), row(aged, shop, goes, number + len(shops))
        )

    await swept(expiry(rig, ManualClock(NOW), **shops))

    for shop, at in stays.items():
        assert await ages(rig, aged, shop) == [at]


async def test_a_sweep_that_missed_a_day_catches_up_in_batches_also_after_a_kill(rig: Rig) -> None:
    await swept(expiry(rig, ManualClock(NOW)))
    await rig.change(
        """
        insert into flags (message_id, generation, partition, "offset", shop_id, conversation_id,
            sender_id, speaker, at_ms, categories, hits, lexicon_version, policy_version)
        select 'old-' || n, 1, 0, n, case n % 5 when 0 then 'missed-b' else 'missed-a' end, '', '',
            '', n, '{}', '[]', '', '' from generate_series(1, 5500) n
        """
    )

    killed = await expiry(rig, ManualClock(NOW)).batch()
    batches = []
    after = expiry(rig, ManualClock(NOW))
    while gone := await after.batch():
        batches.append(gone)

    assert killed == AT_ONCE
    assert max(batches) <= AT_ONCE
    assert killed + sum(batches) == 5_500
    assert await rig.rows("select count(*) from flags where shop_id like 'missed-%'") == [(0,)]


async def test_what_grows_old_later_is_found_by_the_next_look(rig: Rig) -> None:
    clock = ManualClock(NOW)
    aged, *_ = ALERTS
    old = expiry(rig, clock)
    await swept(old)
    await keep(rig, row(aged, "later", 1, 77))

    assert await old.batch() == 0
    clock.advance(LOOK_S)
    assert await old.batch() == 1


async def test_two_sweeps_at_once_delete_each_row_once(rig: Rig) -> None:
    aged, *_ = ALERTS
    await keep(rig, *(row(aged, "shared", 1, 1_000 + number) for number in range(50)))
    first, second = expiry(rig, ManualClock(NOW)), expiry(rig, ManualClock(NOW))

    assert await swept(first) + await swept(second) == 50


async def test_wording_rules_go_once_no_kept_message_was_judged_by_them(rig: Rig) -> None:
    old = NOW - timedelta(days=KEPT, seconds=1)
    spans = [
        ("a", 10, old - timedelta(days=9)),  # followed long ago
        ("a", 20, old),  # followed lately: messages are kept that were judged by it
        ("a", 30, NOW),
        ("b", 10, old - timedelta(days=300)),  # in force
    ]
    for shop, offset, begun in spans:
        await rig.change(
            "insert into wording_spans values (1, 0, :shop, :offset, '', '', :begun)",
            shop=shop,
            offset=offset,
            begun=begun,
        )

    await swept(expiry(rig, ManualClock(NOW)))

    left = await rig.rows("select shop_id, first_offset from wording_spans order by 1, 2")
    assert left == [("a", 20), ("a", 30), ("b", 10)]


async def test_a_running_monitor_deletes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVERY_S", 0.2)
    rounds, _, counters, *_ = FIGURES
    await keep(rig, row(rounds, "ran", 1, 5), row(counters, "ran", date(2020, 1, 1), 5))

    async def gone() -> bool:
        return not await ages(rig, rounds, "ran") and not await ages(rig, counters, "ran")

    async with rig.monitor(figures_kept_days=KEPT):
        await eventually(gone, what="the old rows are gone")


async def test_recompute_leaves_out_what_is_just_being_deleted(rig: Rig) -> None:
    for aged in KINDS:
        await rig.change(f"delete from {table(aged)}")
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await chat.buyer(0)
    await chat.agent(10)
    async with rig.monitor():
        await rig.folded()
    await rig.change("delete from rounds where shop_id = :shop", shop=shop.id)
    rules = Rules.from_settings(rig.settings, rig.settings.open_lexicon())

    measures = measures_of(rules)
    half = await recount.recompute(rig.bus, rig.database, measures, since=DAY)
    later = await recount.recompute(rig.bus, rig.database, measures, since=DAY + timedelta(days=1))

    assert half.different > 0
    assert (later.different, later.compared["rounds"]) == (0, 0)
