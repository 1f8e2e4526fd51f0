"""Figures stay exact whatever happens: takeover, fence, repeats, replay; recompute proves it."""

import asyncio
import os
import random
import sys
from datetime import timedelta
from typing import Any

import pytest

from contracts.people import PersonId
from contracts.topics import CHAT
from kit.bus.deadletter import letters
from kit.bus.kafka.groups import group_facts
from kit.clock import SystemClock
from kit.errors import Fenced
from services.monitor.directory.rules import Rules
from services.monitor.fold.service import FOLD, Partitions
from services.monitor.measures import measures_of
from services.monitor.traffic.repository import Where, last_span
from tests.infrastructure import CHECKOUT
from tests.integration.monitor.rig import FOLDED_S, Rig, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def busy(shop: Shop, *, chats: int, seed: int) -> None:
    """Tell a lively morning: many conversations, transfers, closes, repeats, rude words."""
    rng = random.Random(seed)
    ben = PersonId(f"{shop.id}-ben")
    for number in range(chats):
        chat = await shop.chat(f"agent{number % 3}").opened(at=number)
        at = float(number)
        for _ in range(rng.randint(1, 6)):
            at += rng.choice([2, 15, 45, 200, 700])
            await chat.buyer(at, rng.choice(["在吗", "什么时候发货", "你们是骗子吗，傻逼"]))
            if rng.random() < 0.2:
                await chat.transferred(at + 1, ben)
            if rng.random() < 0.8:
                at += rng.choice([1, 20, 35, 130, 650])
                await chat.agent(at, rng.choice(["亲，马上发", "没有", "今天下午发出"]))
            if rng.random() < 0.3:
                await shop.rig.produce(chat.log[-1])
        if rng.random() < 0.5:
            await chat.closed(at + 5)


async def command(rig: Rig) -> tuple[int, str]:
    """Run `recompute` as the command line does; return exit code and output."""
    settings = rig.settings
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.monitor.app", "recompute"),
        env={
            "PATH": os.environ["PATH"],
            "PEAKDESK_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
            "PEAKDESK_KAFKA_TOPIC_PREFIX": settings.kafka_topic_prefix,
            "PEAKDESK_DATABASE_URL": settings.database_url.get_secret_value(),
            "PEAKDESK_LEXICON_FOLDER": settings.lexicon_folder,
            "PEAKDESK_FIGURES_KEPT_DAYS": str(settings.figures_kept_days),
            "PEAKDESK_EVIDENCE_KEPT_DAYS": str(settings.evidence_kept_days),
        },
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def stored(rig: Rig) -> dict[str, list[Any]]:
    """Return everything that figures rest on."""
    return {
        "counters": await rig.rows(
            "select shop_id, profile, day, agent_id, sum(rounds), sum(round_ms), sum(unanswered),"
            " sum(sessions), sum(first_responses), sum(first_response_ms) from counters"
            " group by 1, 2, 3, 4 order by 1, 2, 3, 4"
        ),
        "rounds": await rig.rows(
            "select partition, reading, readings, opened_offset, agent_id, opened_ms, closed_ms,"
            " outcome from rounds order by 1, 2, 3"
        ),
        "traffic": await rig.rows(
            "select shop_id, day, sum(buyer_messages), sum(agent_messages), sum(flags_agent),"
            " sum(flags_buyer) from traffic group by 1, 2 order by 1, 2"
        ),
        "flags": await rig.rows("select message_id, hits from flags order by 1"),
        "turns": await rig.rows("select * from turns order by 1, 2, 3"),
    }


async def test_recompute_finds_no_difference_and_covers_the_whole_log(rig: Rig) -> None:
    shop = await rig.shop().listed()
    async with rig.monitor():
        await busy(shop, chats=30, seed=1)
        await rig.folded()

    report = await rig.recomputed()

    assert report.different == 0, report.shown
    assert report.compared["rounds"] > 50
    assert report.compared["sessions"] > 20
    assert report.compared["flags"] > 5
    assert report.compared["counters"] > 5
    assert report.compared["turns"] > 50
    assert all(span.whole for span in report.ranges)


MOVED = "update turn_spans set told_to = told_to {} 1 where partition = :partition"
FIRST_ROUND = (
    "(partition, reading, opened_offset)"
    " = (select partition, reading, opened_offset from rounds order by 1, 2, 3 limit 1)"
)


@pytest.mark.parametrize(
    ("table", "breaks", "mends"),
    [
        ("rounds", "closed_ms = closed_ms + 1", "closed_ms = closed_ms - 1"),
        ("counters", "rounds = rounds + 1", "rounds = rounds - 1"),
        ("flags", "hits = hits || '[1]'", "hits = hits - (-1)"),
        ("traffic", "buyer_messages = buyer_messages + 1", "buyer_messages = buyer_messages - 1"),
        ("turns", "until_ms = until_ms + 1", "until_ms = until_ms - 1"),
    ],
)
async def test_a_changed_row_makes_recompute_report_it(
    rig: Rig, table: str, breaks: str, mends: str
) -> None:
    where = f"where {FIRST_ROUND}" if table == "rounds" else ""
    await rig.change(f"update {table} set {breaks} {where}")
    try:
        report = await rig.recomputed()
    finally:
        await rig.change(f"update {table} set {mends} {where}")

    assert report.different > 0
    assert report.shown


async def test_the_command_prints_range_and_difference_and_exits_by_it(rig: Rig) -> None:
    await rig.change("update counters set slow = slow + 1")
    different, found = await command(rig)
    await rig.change("update counters set slow = slow - 1")
    same, none = await command(rig)

    assert (different, same) == (1, 0)
    assert "counters: partition" in found
    assert none.splitlines()[-1] == "difference: 0"
    assert "offsets 0 to" in none


async def test_a_replay_of_the_whole_log_changes_nothing(rig: Rig) -> None:
    before = await stored(rig)
    reader = rig.bus.reader([CHAT.name])
    await reader.start()
    records = []
    ends = await reader.end_offsets(reader.assignment())
    while any([await reader.position(tp) < end for tp, end in ends.items()]):
        for fetched in (await reader.getmany(200)).values():
            records += fetched
    await reader.stop()

    async with rig.monitor():
        for record in records:
            await rig.produce_again(record)
        await rig.folded()

    after = await stored(rig)
    assert after == before
    assert (await rig.recomputed()).different == 0


async def test_a_monitor_that_takes_over_goes_on_where_the_other_stopped(rig: Rig) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await chat.buyer(0)
    async with rig.monitor():
        await rig.folded()
    await rig.produce(chat.log[-1])

    async with rig.monitor():
        await chat.agent(25)
        await rig.folded()

    rows = await rig.rows(
        "select closed_ms - opened_ms from rounds where conversation_id = :chat", chat=chat.id
    )
    assert {took for (took,) in rows} == {25_000}
    traffic = await rig.rows("select buyer_messages from traffic where shop_id = :s", s=shop.id)
    assert traffic == [(1,)]
    said = "select buyer_words, agent_words from turns where conversation_id = :chat"
    assert await rig.rows(said, chat=chat.id) == [(1, 1)]


async def test_n3_turns_begin_anew_behind_what_a_release_folded_that_tells_none(rig: Rig) -> None:
    ((generation, partition, first, told_to),) = await rig.rows(
        "select generation, partition, first_offset, told_to from turn_spans limit 1"
    )
    mine = {"generation": generation, "partition": partition}

    async def where() -> Where:
        async with rig.database.read_across("a test") as session:
            return await last_span(session, **mine)

    goes_on = await where()
    # The last record might as well have been folded by the release before.
    await rig.change(MOVED.format("-"), partition=partition)
    try:
        begins = await where()
    finally:
        await rig.change(MOVED.format("+"), partition=partition)

    assert goes_on.span is not None
    assert (goes_on.span.first_offset, goes_on.told_before) == (first, first)
    assert (begins.span, begins.told_before) == (None, told_to)


async def test_two_monitors_share_the_log_and_one_dies_without_a_difference(rig: Rig) -> None:
    shop = await rig.shop().listed()

    async def shared() -> bool:
        (fold,) = await group_facts(rig.bus.connection, [FOLD])
        return [bool(member.partitions) for member in fold.members] == [True, True]

    async with rig.monitor():
        async with rig.monitor():
            await eventually(shared, within=FOLDED_S, what="both have partitions")
            await busy(shop, chats=20, seed=2)
        await busy(shop, chats=10, seed=3)
        await rig.folded()

    report = await rig.recomputed()
    assert report.different == 0, report.shown


async def test_a_monitor_frozen_past_its_session_is_fenced_and_counts_nothing(rig: Rig) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await chat.buyer(0)
    rules = Rules.from_settings(rig.settings, rig.settings.open_lexicon())
    measures = measures_of(rules)
    frozen = Partitions(rig.bus, rig.database, measures, clock=SystemClock())
    await frozen.begin()
    member = rig.bus.reader([CHAT.name])
    await member.start()
    await frozen.take_over(member, member.assignment())
    async with rig.monitor():
        await rig.folded()
    before = await stored(rig)
    late = [r for records in (await member.getmany(2000)).values() for r in records]
    while not any(record.key == chat.id.encode() for record in late):
        late += [r for records in (await member.getmany(2000)).values() for r in records]

    with pytest.raises(Fenced):
        await frozen.fold(late)
    with pytest.raises(Fenced):
        await frozen.fold(late)
    await member.stop()

    assert await stored(rig) == before


async def test_a_monitor_frozen_past_its_session_forgets_no_state_of_the_new_owner(
    rig: Rig,
) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat(start=await rig.now() - timedelta(days=2)).opened()
    await chat.buyer(0)
    await chat.closed(60)
    rules = Rules.from_settings(rig.settings, rig.settings.open_lexicon())
    frozen = Partitions(rig.bus, rig.database, measures_of(rules), clock=SystemClock())
    await frozen.begin()
    async with rig.monitor():
        await rig.folded()
    # Of a group of its own: who has nothing to forget goes on and commits.
    member = rig.bus.group_consumer([CHAT.name], group=f"frozen.{rig.ids.new()}")
    await member.start()
    await eventually(lambda: bool(member.assignment()))
    await frozen.take_over(member, member.assignment())
    await chat.buyer(2 * 86_400)
    async with rig.monitor():
        await rig.folded()

    await frozen.tick()
    await member.stop()

    kept = await rig.rows(
        "select waiting_ms is not null from conversations where conversation_id = :chat",
        chat=chat.id,
    )
    assert kept == [(True,)]


async def test_a_record_that_cannot_be_stored_is_set_aside_and_costs_no_other(rig: Rig) -> None:
    shop = await rig.shop().listed()
    refused, other = await shop.chat("anne").opened(), await shop.chat("ben").opened()
    for at in (0, 30):
        await refused.buyer(at)
        await other.buyer(at)
        await other.agent(at + 10)
        await refused.buyer(at + 12)
    await refused.agent(50)
    await refused.buyer(60)
    table = "alter table monitor.rounds"
    await rig.made.alter(
        "monitor", f"{table} add constraint refused check (conversation_id <> '{refused.id}')"
    )

    async with rig.monitor():
        await rig.folded()
    await rig.made.alter("monitor", f"{table} drop constraint refused")

    (found,) = [one for one in await letters(rig.bus, FOLD) if "Integrity" in one.reason]
    assert found.reason.startswith("IntegrityError at ")
    rounds = await rig.rows(
        "select distinct conversation_id, opened_ms, closed_ms - opened_ms from rounds"
        " where shop_id = :shop order by opened_ms",
        shop=shop.id,
    )
    assert [(name, took) for name, _, took in rounds] == [(other.id, 10_000), (other.id, 10_000)]
    traffic = await rig.rows(
        "select sum(buyer_messages), sum(agent_messages) from traffic where shop_id = :shop",
        shop=shop.id,
    )
    assert traffic == [(7, 2)]


async def test_waiting_counts_survive_a_kill_of_the_process(rig: Rig) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat(start=await rig.now()).opened()
    await chat.buyer(-60)
    async with rig.monitor():
        await rig.folded()
        await eventually(lambda: _fired(rig, chat.id), what="the thresholds passed at the start")

    async with rig.monitor():
        await rig.folded()
        await asyncio.gather(*(rig.folded() for _ in range(3)))

    fired = await _fired(rig, chat.id)
    assert fired == [
        (20, "jd_2021", ["jd_2021", "qiyu", "taobao_2022"]),
        (30, "jd_2021", ["jd_2021", "qiyu", "taobao_2022"]),
    ]


async def _fired(rig: Rig, conversation_id: str) -> list[Any]:
    found = await rig.rows(
        "select threshold_s, profile, profiles from firings where conversation_id = :chat"
        " order by threshold_s",
        chat=conversation_id,
    )
    return found if len(found) >= 2 else []
