"""What the archive cannot read, or does not know: set aside or kept, and nobody else waits."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from contracts.people import SenderKind, ShopId
from kit.bus.deadletter import letters
from kit.bus.ports import Position, message_of
from kit.bus.resting import IN_A_ROW, NEXT_REST_S
from tests.integration.conversation.desk import Platform, message
from tests.integration.conversation.talking import archived, begin, changed, has_text, spoken, texts
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_poison_is_set_aside_and_what_is_good_goes_on(platform: Platform) -> None:
    _, agent, _, talk = await begin(platform)
    foreign = (await platform.shop()).id
    good = message(talk, "好", kind=SenderKind.BUYER, ids=platform.service.ids)
    record = message_of(good)
    headers = dict(record.headers)
    poison = {
        "no json": changed(record, value=b"{"),
        "tombstone": changed(record, value=None),
        "no type": changed(record, headers={k: v for k, v in headers.items() if k != "ce_type"}),
        "no id": changed(record, headers={k: v for k, v in headers.items() if k != "ce_id"}),
        "no uuid": changed(record, headers=headers | {"ce_id": b"1;--"}),
        "NUL": changed(record, value=good.body().replace("好".encode(), b"\\u0000")),
        "surrogate": changed(record, value=good.body().replace("好".encode(), b"\\ud800")),
        "header of another shop": changed(record, headers=headers | {"ce_shop": foreign.encode()}),
        "another shop's conversation": message_of(spoken(platform, talk, shop_id=ShopId(foreign))),
        "key of another conversation": changed(record, key=b"elsewhere"),
        "no conversation": message_of(spoken(platform, {**talk, "id": platform.service.ids.new()})),
    }
    places: dict[Position, str] = {}
    for name, bad in poison.items():
        await platform.say(talk, f"before {name}")
        places[await platform.producer.send(bad)] = name
    await platform.say(talk, "the end")
    await eventually(lambda: has_text(agent, talk, "the end"))

    found = await letters(platform.service.bus, "conversation.archive")

    set_aside = {places[Position(one.partition, one.offset)] for one in found if
                 Position(one.partition, one.offset) in places}  # fmt: skip
    assert set_aside == set(poison)
    assert await texts(agent, talk) == [f"before {name}" for name in poison] + ["the end"]
    assert not any("好" in one.reason for one in found)


@pytest.mark.parametrize("kind", ["conversation.blessed.v1", "chat.reaction.v1"])
async def test_what_a_newer_release_wrote_is_kept_and_not_shown(
    platform: Platform, kind: str
) -> None:
    _, agent, buyer, talk = await begin(platform)
    said = message(talk, "前", kind=SenderKind.BUYER, ids=platform.service.ids)
    record = message_of(said)
    body = json.loads(record.value or b"") | {"buyer_id": buyer.id, "version": 7}
    headers = dict(record.headers) | {"ce_type": kind.encode()}
    place = await platform.producer.send(
        changed(record, headers=headers, value=json.dumps(body).encode())
    )
    await platform.say(talk, "后")
    await eventually(lambda: has_text(agent, talk, "后"))

    assert await _stored_type(platform, talk, place) == kind
    assert await texts(agent, talk) == await texts(buyer, talk) == ["后"]
    dead = await letters(platform.service.bus, "conversation.archive")
    assert place not in {Position(one.partition, one.offset) for one in dead}


async def _stored_type(platform: Platform, talk: dict[str, Any], place: Position) -> str:
    """Return the type at the place in this conversation: other tests' rows have made-up places."""
    query = """
    select type from messages
    where conversation_id = cast(:c as uuid) and partition = :p and log_offset = :o
    """
    where = {"c": talk["id"], "p": place.partition, "o": place.offset}
    async with platform.service.db.read_across("a test") as session:
        found = await session.execute(text(query), where)
        return str(found.scalar_one())


async def test_messages_of_unknown_conversations_make_the_archive_of_no_shop_rest(
    platform: Platform,
) -> None:
    _, agent, _, talk = await begin(platform)
    for _ in range(IN_A_ROW + 5):
        unknown = {**talk, "id": platform.service.ids.new()}
        await platform.producer.send(message_of(spoken(platform, unknown)))
    await platform.say(talk, "after a restore")
    await eventually(lambda: has_text(agent, talk, "after a restore"))

    assert platform.service.archive.role.loop.rests_because is None


async def test_forty_visitors_with_one_poison_each_delay_an_honest_buyer_by_one_rest(
    platform: Platform,
) -> None:
    _, agent, _, talk = await begin(platform)
    loop, ids = platform.service.archive.role.loop, platform.service.ids
    await eventually(lambda: archived(agent, talk))
    for _ in range(40):
        bad = changed(message_of(spoken(platform, talk)), value=b"{", key=ids.new().encode())
        await platform.producer.send(bad)
    await eventually(lambda: loop.rests_because)

    await platform.say(talk, "honest")
    before = _rests(platform)

    await eventually(lambda: has_text(agent, talk, "honest"), within=3 * NEXT_REST_S)
    # While the poison was still being written a rest may have followed another; one may begin yet.
    assert _rests(platform) - before <= 1
    await eventually(lambda: loop.healthy)


def _rests(platform: Platform) -> float:
    found = platform.service.metrics.registry.get_sample_value(
        "peakdesk_consumer_rests_total", {"group": "conversation.archive"}
    )
    return found or 0.0
