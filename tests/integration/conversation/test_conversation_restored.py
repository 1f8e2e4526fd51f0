"""Back from an older backup (H51): the archive brings rows to where the log is, or makes them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from contracts.conversation import Lifecycle
from contracts.gateway import ChatMessage
from kit.bus.deadletter import letters
from kit.bus.ports import Record
from kit.clock import ManualClock
from services.conversation.archive.contacts import AGAIN
from tests.integration.conversation import timed
from tests.integration.conversation.desk import Person, Platform, ok
from tests.integration.conversation.talking import (
    archived,
    begin,
    events,
    has_text,
    records,
    texts,
    told,
)
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

clock, platform, admin = timed.clock, timed.platform, timed.admin

STANDS = ("state", "agent_id", "version", "assignment_version", "stage", "score", "buyer_id")


async def test_conversations_that_no_backup_holds_come_back_as_the_log_left_them(
    platform: Platform, clock: ManualClock
) -> None:
    shop, agent, buyer, closed = await begin(platform)
    await platform.say(closed, "在吗")
    await eventually(lambda: has_text(agent, closed, "在吗"))
    ok(await agent.post(f"/v1/conversations/{closed['id']}/stage", {"stage": "bargain"}))
    ok(await agent.post(f"/v1/conversations/{closed['id']}/close"))
    ok(await buyer.post(f"/v1/conversations/{closed['id']}/rating", {"score": 5}))
    served = ok(await (await shop.buyer()).post("/v1/conversations"), 201)
    before = {talk["id"]: await _stands(agent, talk) for talk in (closed, served)}
    assert [one["state"] for one in before.values()] == ["closed", "assigned"]
    log = {talk["id"]: await _whole_log(platform, agent, talk) for talk in (closed, served)}

    await _lose(platform, closed, served)
    for found in log.values():
        await platform.service.archive.role.handle(found)
    assert {(await _stands(agent, talk))["state"] for talk in (closed, served)} == {"closed"}
    await _a_minute_later(platform, clock)

    for talk, next_step in ((closed, "reopen"), (served, "close")):
        await eventually(partial(_is, agent, talk, before[talk["id"]]))
        now = ok(await agent.post(f"/v1/conversations/{talk['id']}/{next_step}"))
        # What is told next comes behind all else: nobody was told anything again.
        versions = [one.version for one in await told(platform, agent, talk, Lifecycle)]
        assert versions == list(range(1, now["version"] + 1))
    assert await texts(agent, closed) == ["在吗"]


async def test_what_became_of_a_conversation_after_the_backup_is_read_from_the_log(
    platform: Platform, clock: ManualClock
) -> None:
    _, agent, _, talk = await begin(platform)
    await eventually(lambda: _has_archived(agent, talk, "conversation.assigned.v1"))
    ok(await agent.post(f"/v1/conversations/{talk['id']}/close"))
    after = await _stands(agent, talk)
    log = await _whole_log(platform, agent, talk)
    async with platform.service.db.write_across("a test") as session:
        old = text(
            "update conversations set state = 'assigned', agent_id = :agent, version = 2,"
            " closed_at = null where id = :id"
        )
        await session.execute(old, {"agent": agent.id, "id": talk["id"]})
        lost = text("delete from messages where conversation_id = :id and type like '%closed.v1'")
        await session.execute(lost, {"id": talk["id"]})

    await platform.service.archive.role.handle(log)
    await _a_minute_later(platform, clock)

    await eventually(lambda: _is(agent, talk, after))


async def test_who_waits_for_an_answer_is_queued_again(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    buyer = await shop.buyer()
    talk = ok(await buyer.post("/v1/conversations"), 201)
    await platform.say(talk, "有人吗")
    await eventually(lambda: has_text(shop.boss, talk, "有人吗"))
    before = await _stands(shop.boss, talk)
    log = await _whole_log(platform, shop.boss, talk)

    await _lose(platform, talk)
    await platform.service.archive.role.handle(log)
    await _a_minute_later(platform, clock)

    await eventually(lambda: _is(shop.boss, talk, before))
    agent = await shop.staff()
    assert (await _stands(agent, talk))["agent_id"] == agent.id


async def test_a_message_before_its_conversation_is_replayed(
    platform: Platform, clock: ManualClock
) -> None:
    _, agent, _, talk = await begin(platform)
    await eventually(lambda: _has_archived(agent, talk, "conversation.assigned.v1"))
    log = await _whole_log(platform, agent, talk)
    await _lose(platform, talk)
    await platform.say(talk, "先于一切")
    await eventually(lambda: _set_aside(platform, talk))

    await platform.service.archive.role.handle(log)
    await platform.service.replay("conversation.archive")

    await eventually(lambda: has_text(agent, talk, "先于一切"))
    await _a_minute_later(platform, clock)
    await eventually(lambda: _has_state(agent, talk, "assigned"))


async def _lose(platform: Platform, *talks: Mapping[str, Any]) -> None:
    """Restore a backup that is older than these conversations."""
    async with platform.service.db.write_across("a test") as session:
        for talk in talks:
            for table, column in (("conversations", "id"), ("messages", "conversation_id")):
                await session.execute(
                    text(f"delete from {table} where {column} = :id"), {"id": talk["id"]}
                )


async def _a_minute_later(platform: Platform, clock: ManualClock) -> None:
    clock.advance(AGAIN.total_seconds() + 1)
    await platform.service.archive.worker.look()


async def _whole_log(platform: Platform, reader: Person, talk: Mapping[str, Any]) -> list[Record]:
    """Return all records of a conversation, once its newest version stands in the log."""
    version = (await _stands(reader, talk))["version"]

    async def complete() -> bool:
        lifecycle = await events(platform, "chat", talk["id"], Lifecycle)
        newest = max((one.version for one in lifecycle), default=0)
        shown = await archived(reader, talk)
        said = await events(platform, "chat", talk["id"], ChatMessage)
        return newest == version and len(shown) == len(lifecycle) + len(said)

    await eventually(complete)
    return await records(platform, "chat", talk["id"])


async def _stands(reader: Person, talk: Mapping[str, Any]) -> dict[str, Any]:
    now = ok(await reader.get(f"/v1/conversations/{talk['id']}"))
    return {name: now[name] for name in STANDS}


async def _is(reader: Person, talk: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return await _stands(reader, talk) == wanted


async def _has_state(reader: Person, talk: Mapping[str, Any], wanted: str) -> bool:
    return bool((await _stands(reader, talk))["state"] == wanted)


async def _has_archived(reader: Person, talk: Mapping[str, Any], wanted: str) -> bool:
    return wanted in [one["type"] for one in await archived(reader, talk)]


async def _set_aside(platform: Platform, talk: Mapping[str, Any]) -> bool:
    """Tell whether the last record of a conversation is a dead letter."""
    last = (await records(platform, "chat", talk["id"]))[-1]
    found = await letters(platform.service.bus, "conversation.archive")
    return (last.partition, last.offset) in {(one.partition, one.offset) for one in found}
