"""A changed book of profiles, two books at once, and a format that begins anew (H32, H49)."""

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from contracts.people import PersonId
from contracts.topics import ALERTS
from kit.postgres import Database
from profiles import SHIPPED
from services.monitor.fold import eviction, spans
from tests import infrastructure
from tests.infrastructure import Infrastructure, TestDatabase
from tests.integration.monitor.chats import NOON, Chat
from tests.integration.monitor.rig import Monitor, Rig, Shop, monitoring
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ROWS = (
    "select partition, reading, opened_offset, agent_id, opened_ms, closed_ms, outcome, judged"
    " from rounds where shop_id = :shop order by 1, 2, 3"
)


@pytest.fixture
def other_book(tmp_path: Path) -> Path:
    """The shipped profiles without kuaimai, and with one that reads sessions in its own way."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    for file in SHIPPED.glob("*.toml"):
        if file.stem != "kuaimai":
            shutil.copy(file, folder)
    qiyu = (folder / "qiyu.toml").read_text(encoding="utf-8")
    own = qiyu.replace('"qiyu"', '"own_slow"').replace("rejoin_s = 600", "rejoin_s = 60")
    (folder / "own_slow.toml").write_text(own, encoding="utf-8")
    return folder


async def test_a_profile_added_and_one_removed_leave_no_difference(
    rig: Rig, other_book: Path
) -> None:
    shop = await rig.shop().listed()
    waiting, later = await shop.chat("anne").opened(), await shop.chat("ben").opened()
    async with rig.monitor():
        await waiting.buyer(0)
        await later.buyer(0)
        await later.agent(9)
        await rig.folded()
    before = await rig.rows(ROWS, shop=shop.id)

    async with rig.monitor(profiles_folder=str(other_book)):
        await waiting.agent(728)
        await later.buyer(3_700)
        await later.agent(3_707)
        await rig.folded()

    rows = await rig.rows(ROWS, shop=shop.id)
    assert [row for row in rows if row in before] == before
    took = {closed - opened for *_, opened, closed, _, _ in rows}
    assert took == {9_000, 728_000, 7_000}
    judged = {name for *_, scores in rows[-1:] for name in scores}
    assert "kuaimai" not in judged
    mine = [scores for *_, scores in rows if "own_slow" in scores]
    assert [scores["own_slow"][1] for scores in mine] == [7_000]
    fingerprints = await rig.rows("select distinct fingerprint from book_spans")
    assert len(fingerprints) == 2
    for folder in ("", str(other_book)):
        report = await rig.recomputed(profiles_folder=folder)
        assert report.different == 0, report.shown
        assert report.compared["rounds"] > 0


async def test_what_was_forgotten_before_the_book_changed_leaves_no_difference(
    rig: Rig, other_book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eviction, "EVERY_S", 0.1)
    pdd = other_book / "pdd.toml"
    strict = re.sub(r"first_within_s = \d+", "first_within_s = 1", pdd.read_text(encoding="utf-8"))
    pdd.write_text(strict, encoding="utf-8")
    shop = await rig.shop().listed()
    chat = await shop.chat(start=NOON - timedelta(days=3)).opened()

    async def forgotten() -> bool:
        known = "select 1 from conversations where conversation_id = :chat"
        return not await rig.rows(known, chat=chat.id)

    async with rig.monitor():
        await chat.buyer(0)
        await chat.closed(5)
        await rig.folded()
        for _ in range(40):  # one of them moves the log time of its partition
            await shop.chat("ben").buyer(0)
        await rig.folded()
        await eventually(forgotten)
    stored = await rig.rows(
        "select settled_offset from sessions where conversation_id = :chat", chat=chat.id
    )
    assert set(stored) == {(0,)}

    async with rig.monitor(profiles_folder=str(other_book)):
        for _ in range(40):  # the book changes in its partition
            await (await shop.chat("ben").buyer(10)).agent(12, seat=1)
        await rig.folded()

    for folder in ("", str(other_book)):
        report = await rig.recomputed(profiles_folder=folder)
        assert report.different == 0, report.shown
        assert report.compared["sessions"] > 0


async def test_of_two_books_at_once_only_the_newest_folds(
    rig: Rig, other_book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "GONE_S", 3)
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    folder = other_book.with_name("newer")
    shutil.copytree(other_book, folder)
    (folder / "douyin_2022.toml").unlink()

    async def ready(monitor: Monitor) -> bool:
        return (await monitor.inside("/ready")).status_code == 200

    async def stands_aside(monitor: Monitor) -> bool:
        return (await monitor.inside("/ready")).status_code == 503

    async with rig.monitor() as old:
        await eventually(lambda: ready(old), within=30)
        async with rig.monitor(profiles_folder=str(folder)) as new:
            await eventually(lambda: ready(new), within=30)
            await eventually(lambda: stands_aside(old), within=30)
            await chat.buyer(0)
            await chat.agent(11)
            await rig.folded()
            judged = await rig.rows("select judged from rounds where shop_id = :shop", shop=shop.id)
            assert judged
            assert all("douyin_2022" not in scores for (scores,) in judged)
        await eventually(lambda: ready(old), within=30)
        await chat.buyer(20)
        await chat.agent(32)
        await rig.folded()

    judged = await rig.rows(
        "select judged from rounds where shop_id = :shop order by opened_ms desc limit 1",
        shop=shop.id,
    )
    assert "douyin_2022" in judged[0][0]
    report = await rig.recomputed()
    assert report.different == 0, report.shown


async def test_after_an_outage_an_earlier_book_does_not_win_by_looking_first(rig: Rig) -> None:
    sight = spans.Sight()

    async def looks(book: str, at_s: float, mine: spans.Sight = sight) -> bool:
        async with rig.database.write_across("a test") as session:
            return await spans.is_newest(session, book, sight=mine, at_s=at_s, starts=False)

    try:
        assert await looks("earlier", 0)
        assert await looks("later", 0, spans.Sight())
        assert not await looks("earlier", 1)
        await rig.change("update books set seen_at = seen_at - interval '1 hour'")

        # PostgreSQL is back: the earlier book looks first, the later one gives its sign after it.
        assert not await looks("earlier", 2)
        assert await looks("later", 3, spans.Sight())
        seen = {at: await looks("earlier", at) for at in range(4, 22, 2)}
    finally:
        await rig.change("delete from books where fingerprint in ('earlier', 'later')")

    assert seen == {at: at >= 4 + spans.GONE_S for at in seen}


@asynccontextmanager
async def looking(rig: Rig) -> AsyncIterator[Callable[..., Awaitable[bool]]]:
    """Let processes look which of the books `shipped` and `longer` is the newest."""

    async def looks(book: str, at_s: float, sight: spans.Sight | None = None) -> bool:
        """`sight`: of a process that runs; without one it has just started."""
        async with rig.database.write_across("a test") as session:
            return await spans.is_newest(
                session, book, sight=sight or spans.Sight(), at_s=at_s, starts=sight is None
            )

    try:
        yield looks
    finally:
        await rig.change("delete from books where fingerprint in ('shipped', 'longer')")


async def are_away(rig: Rig, **seconds: int) -> None:
    """Let the last signs of books be older."""
    for book, away_s in seconds.items():
        shift = f"seen_at = seen_at - interval '{away_s} seconds'"
        await rig.change(f"update books set {shift} where fingerprint = '{book}'")


async def test_a_book_that_was_taken_back_and_is_deployed_again_begins_at_once(rig: Rig) -> None:
    shipped = spans.Sight()
    async with looking(rig) as looks:
        assert await looks("shipped", 0)
        assert await looks("longer", 0)
        assert not await looks("shipped", 5, shipped)
        assert not await looks("shipped", 6)  # started again in the midst of it

        await are_away(rig, longer=30)
        seen = {at: await looks("shipped", at, shipped) for at in (10, 15, 20, 25)}
        assert seen == {10: False, 15: False, 20: False, 25: True}
        assert await looks("longer", 26)  # no monitor of the other has to end first
        assert not await looks("shipped", 27, shipped)

        await are_away(rig, shipped=60, longer=60)  # nobody could give a sign
        assert not await looks("shipped", 28)


async def test_an_earlier_book_whose_monitor_was_frozen_does_not_win(rig: Rig) -> None:
    shipped = spans.Sight()
    async with looking(rig) as looks:
        assert await looks("shipped", 0)
        assert await looks("shipped", 2, shipped)
        await are_away(rig, shipped=30)  # it gives no sign, while the later one is deployed
        assert await looks("longer", 30)

        assert not await looks("shipped", 32, shipped)
        assert await looks("longer", 33, spans.Sight())


async def test_a_late_message_is_withdrawn_from_what_was_stored(rig: Rig) -> None:
    shop = await rig.shop().listed()
    old, new = await shop.chat("anne").opened(), await shop.chat("ben").opened(3_600)
    async with rig.monitor():
        await old.buyer(0)
        await old.agent(4)
        await old.closed(60)
        await old.buyer(4_000)
        word = old.log[-1]
        await old.bot(4_001)
        await rig.folded()
        stored = await _rounds_of(rig, old.id)
        old.log.append(word)
        await old.late(4_002, into=new)
        await new.agent(4_010)
        await rig.folded()

    assert {at for at, _ in stored} == {old_ms(old, 0), old_ms(old, 4_000)}
    assert {at for at, _ in await _rounds_of(rig, old.id)} == {old_ms(old, 0)}
    assert set(await _rounds_of(rig, new.id)) == {(old_ms(old, 4_000), 10_000)}
    report = await rig.recomputed()
    assert report.different == 0, report.shown


async def _rounds_of(rig: Rig, conversation_id: str) -> list[Any]:
    return await rig.rows(
        "select opened_ms, closed_ms - opened_ms from rounds where conversation_id = :chat",
        chat=conversation_id,
    )


def old_ms(chat: Chat, seconds: float) -> int:
    """Return the moment so many seconds after a conversation's start."""
    return round(chat.start.timestamp() * 1000) + round(seconds * 1000)


@pytest_asyncio.fixture(loop_scope="module")
async def installed(
    infra: Infrastructure, kafka_prefix: str
) -> AsyncIterator[tuple[Rig, TestDatabase]]:
    """A world whose database stands where the release before left it."""
    before = await infrastructure.create_database(infra)
    await before.migrate("monitor", revision="0002")
    async with monitoring(infra, f"{kafka_prefix}old.") as rig:
        dsn = before.dsn("monitor")
        rig.settings = rig.settings.model_copy(update={"database_url": SecretStr(dsn)})
        await rig.database.close()
        rig.database = Database(dsn, schema="monitor", name="monitor-tests")
        yield rig, before
    await infrastructure.drop_database(infra, before.name)


async def test_the_format_begins_anew_from_the_oldest_record(
    installed: tuple[Rig, TestDatabase],
) -> None:
    rig, database = installed
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await chat.buyer(0, "你这个傻逼，骗子")
    await chat.agent(6)
    partition, end = await _left_by_the_release_before(rig, shop, chat.id)
    await database.migrate("monitor")

    async with rig.watching(ALERTS.name) as seen, rig.monitor():
        await rig.folded()
        await chat.buyer(100, "在吗")
        await chat.agent(107)
        await rig.folded()

    rounds = await rig.rows(
        "select opened_offset, rules, closed_ms - opened_ms from rounds where partition = :p"
        " order by opened_offset, reading",
        p=partition,
    )
    assert rounds[0] == (-7, 1, 1_000)
    assert {took for _, rules, took in rounds if rules == 2} == {6_000, 7_000}
    assert [one for one in rounds if one[1] == 1] == [rounds[0]]
    counted = await rig.rows(
        "select sum(rounds), sum(round_ms) from counters where profile = 'qiyu'"
        " and shop_id = :shop",
        shop=shop.id,
    )
    assert counted == [(3, 14_000)]
    traffic = await rig.rows(
        "select sum(buyer_messages), sum(flags_buyer) from traffic where shop_id = :shop",
        shop=shop.id,
    )
    assert traffic == [(501, 41)]  # what was counted before, and the one message behind it
    assert seen == []
    assert await rig.rows("select refold_below from partitions where partition = :p", p=partition)
    assert end > 0


async def _left_by_the_release_before(rig: Rig, shop: Shop, chat: str) -> tuple[int, int]:
    """Leave positions, a round older than the log, one that the log gives again, and totals."""
    reader = rig.bus.reader(["chat"])
    await reader.start()
    try:
        ends = await reader.end_offsets(reader.assignment())
    finally:
        await reader.stop()
    partition, end = next((tp.partition, end) for tp, end in ends.items() if end)
    agent = PersonId(f"{shop.id}-anne")
    for statement in (
        "insert into positions values ('monitor.fold', 'chat', :p, :end)",
        "insert into partitions values (:p, 1, 1)",
        "insert into conversations values (:chat, 1, :p, :shop, true, null, 1, 1, null, '\\x00')",
        """
        insert into rounds select 1, :p, 'agent/never/600', o, :shop, :chat, 'b', :agent,
            '2026-11-01', 0, 1000, 0, 'answered', o, '{"qiyu": [1, 1000, 0, 1, 0]}'
        from (values (-7), (3)) as places(o)
        """,
        """
        insert into counters values (:p, :shop, 'qiyu', '2026-11-01', :agent,
            2, 2000, 0, 2, 0, 0, 0, 0, 0)
        """,
        "insert into traffic values (:p, :shop, '2026-11-11', 500, 400, 0, 0, 41, 1, 1)",
    ):
        await rig.change(
            statement,
            **{
                name: value
                for name, value in {
                    "p": partition, "end": end, "shop": shop.id, "chat": chat, "agent": agent,
                }.items()
                if f":{name}" in statement
            },
        )  # fmt: skip
    return partition, end
