"""How far people have read: kept from signals, and told to whoever subscribes (F6)."""

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.gateway import SignalSent
from contracts.people import ConversationId, PersonId, ShopId
from kit.bus.ports import message_of
from tests.integration.conversation.desk import Person, Platform, ok
from tests.integration.conversation.talking import begin, changed
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_how_far_both_have_read_is_told_to_both(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    assert await _read(platform, agent, talk) == {"buyer": None, "owner": None}

    await _signal(platform, talk, buyer, (1, 7))
    await _signal(platform, talk, agent, (1, 9))

    read = {"buyer": [1, 7], "owner": [1, 9]}
    await eventually(lambda: _is(platform, agent, talk, read))
    assert await _read(platform, buyer, talk) == read


async def test_the_furthest_stands_whatever_comes_later(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)

    await _signal(platform, talk, buyer, (1, 9))
    await eventually(lambda: _is(platform, agent, talk, {"buyer": [1, 9], "owner": None}))
    for place in ((1, 3), (0, 88), (1, 8)):
        await _signal(platform, talk, buyer, place)
    await _signal(platform, talk, agent, (1, 1))
    await eventually(lambda: _is(platform, agent, talk, {"buyer": [1, 9], "owner": [1, 1]}))

    await _signal(platform, talk, buyer, (2, 0))
    await eventually(lambda: _is(platform, agent, talk, {"buyer": [2, 0], "owner": [1, 1]}))


async def test_of_staff_only_the_present_owner_is_told_of(platform: Platform) -> None:
    shop, agent, buyer, talk = await begin(platform)
    await _signal(platform, talk, agent, (1, 5))
    await eventually(lambda: _is(platform, agent, talk, {"buyer": None, "owner": [1, 5]}))
    other = await shop.staff()

    wish = {"to_agent": other.id, "note": "他来接"}
    ok(await agent.post(f"/v1/conversations/{talk['id']}/transfer", wish))

    assert await _read(platform, buyer, talk) == {"buyer": None, "owner": None}


async def test_what_is_no_reading_leaves_no_marker_and_stops_none(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)

    await _signal(platform, talk, buyer, None, signal="typing")
    await _signal(platform, talk, buyer, None)
    await _signal(platform, talk, buyer, (1, 10**19))
    await _signal(platform, talk, buyer, (40_000, 1))
    record = message_of(_signalled(platform, talk, buyer, (1, 50)))
    await platform.producer.send(changed(record, value=b'{"signal":"read"'))
    newer = dict(record.headers) | {"ce_type": b"chat.signal.v9"}
    await platform.producer.send(changed(record, headers=newer))
    await _signal(platform, talk, agent, (1, 2))

    await eventually(lambda: _is(platform, agent, talk, {"buyer": None, "owner": [1, 2]}))


def _signalled(
    platform: Platform,
    talk: Mapping[str, Any],
    person: Person,
    place: tuple[int, int] | None,
    *,
    signal: Any = "read",
) -> SignalSent:
    return SignalSent(
        id=platform.service.ids.new(),
        time=platform.service.clock.now(),
        shop_id=ShopId(talk["shop_id"]),
        conversation_id=ConversationId(talk["id"]),
        person_id=PersonId(person.id),
        signal=signal,
        position=place,
    )


async def _signal(
    platform: Platform,
    talk: Mapping[str, Any],
    person: Person,
    place: tuple[int, int] | None,
    *,
    signal: Any = "read",
) -> None:
    await platform.publish(_signalled(platform, talk, person, place, signal=signal))


async def _read(platform: Platform, person: Person, talk: Mapping[str, Any]) -> Any:
    path = f"/internal/conversations/{talk['id']}/attach"
    role = "buyer" if person.id == talk["buyer_id"] else "agent"
    asked = {"subject": person.id, "role": role, "shop": person.shop_id}
    return ok(await platform.internal(path, **asked))["read"]


async def _is(platform: Platform, person: Person, talk: Mapping[str, Any], read: Any) -> bool:
    return bool(await _read(platform, person, talk) == read)
