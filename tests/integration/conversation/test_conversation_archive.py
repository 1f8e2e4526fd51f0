"""The archive on real Kafka: each message once, marks that only rise, poison set aside, history."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from contracts.gateway import ChatMessage
from contracts.people import PersonId, SenderKind, ShopId
from kit.bus.deadletter import letters
from kit.bus.ports import Message, Position, message_of
from kit.bus.resting import IN_A_ROW, NEXT_REST_S
from services.conversation.domain.log import Batch
from tests.integration.conversation.desk import Person, Platform, Shop, code, message, ok
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def _talk(platform: Platform) -> tuple[Shop, Person, Person, dict[str, Any]]:
    """Return a shop with its agent, a buyer and their conversation."""
    shop = await platform.shop()
    agent, buyer = await shop.staff(), await shop.buyer()
    return shop, agent, buyer, ok(await buyer.post("/v1/conversations"), 201)


async def _archived(reader: Person, conversation: Mapping[str, Any], **params: Any) -> list[Any]:
    path = f"/v1/conversations/{conversation['id']}/messages"
    page = ok(await reader.get(path, order="asc", limit=200, **params))
    items: list[Any] = page["items"]
    return items


async def _texts(reader: Person, conversation: Mapping[str, Any]) -> list[str]:
    items = await _archived(reader, conversation)
    return [one["d"]["d"]["text"] for one in items if one["type"] == "chat.message.v1"]


async def test_history_shows_messages_and_lifecycle_in_the_order_of_the_log(
    platform: Platform,
) -> None:
    _, agent, buyer, talk = await _talk(platform)
    await eventually(lambda: _archived(agent, talk))
    said, place = await platform.say(talk, "在吗")
    await platform.say(talk, "亲，在的", kind=SenderKind.AGENT, assignment_version=2)
    await eventually(lambda: _is(_texts(agent, talk), ["在吗", "亲，在的"]))

    items = await _archived(agent, talk)

    kinds = [one["type"] for one in items]
    assert kinds == [
        "conversation.opened.v1",
        "conversation.assigned.v1",
        "chat.message.v1",
        "chat.message.v1",
    ]
    positions = [tuple(one["position"]) for one in items]
    assert positions == sorted(positions)
    first = next(one for one in items if one["id"] == said.id)
    assert first["position"] == [1, place.offset]
    assert first["s"] == f"conv:{talk['id']}"
    assert first["d"]["client_id"] == said.client_id
    assert first["archived_at"] >= first["time"]
    assert await _texts(buyer, talk) == ["在吗", "亲，在的"]


async def test_a_buyer_never_sees_what_is_staffs_own(platform: Platform) -> None:
    shop, agent, buyer, talk = await _talk(platform)
    await shop.staff()
    wish = {"to_group": "pre_sale", "note": "内部备注"}
    ok(await agent.post(f"/v1/conversations/{talk['id']}/transfer", wish))
    await eventually(lambda: _has(_archived(agent, talk), "conversation.transferred.v1"))

    mine = await _archived(agent, talk)
    theirs = await _archived(buyer, talk)

    assert "内部备注" in str(mine)
    assert "内部备注" not in str(theirs)
    assert [one["position"] for one in mine] == [one["position"] for one in theirs]


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_a_message_delivered_again_is_archived_once(platform: Platform, times: int) -> None:
    _, agent, _, talk = await _talk(platform)
    event, first = await platform.say(talk, "一次")
    for _ in range(times):
        await platform.publish(event)
    await platform.say(talk, "完")
    await eventually(lambda: _is(_texts(agent, talk), ["一次", "完"]))

    found = ok(await platform.internal(f"/internal/messages/{event.id}"))

    assert found == {
        "found": True,
        "body_hash": event.body_hash,
        "position": [1, first.offset],
    }


async def test_another_body_under_the_same_id_is_recorded_and_not_shown(
    platform: Platform,
) -> None:
    _, agent, _, talk = await _talk(platform)
    event, _ = await platform.say(talk, "先到")
    other = event.model_copy(update={"d": {"text": "后到"}, "body_hash": "f" * 32})
    place = await platform.publish(other)
    await eventually(lambda: _conflicts(platform, place))

    assert await _texts(agent, talk) == ["先到"]
    assert await _conflicts(platform, place) == [(event.id, "f" * 32, event.body_hash)]


async def test_poison_is_set_aside_and_what_is_good_goes_on(platform: Platform) -> None:
    _, agent, _, talk = await _talk(platform)
    foreign = (await platform.shop()).id
    good = message(talk, "好", kind=SenderKind.BUYER, ids=platform.service.ids)
    record = message_of(good)
    headers = dict(record.headers)
    poison = {
        "no json": _changed(record, value=b"{"),
        "tombstone": _changed(record, value=None),
        "no type": _changed(record, headers={k: v for k, v in headers.items() if k != "ce_type"}),
        "no id": _changed(record, headers={k: v for k, v in headers.items() if k != "ce_id"}),
        "no uuid": _changed(record, headers=headers | {"ce_id": b"1;--"}),
        "NUL": _changed(record, value=good.body().replace("好".encode(), b"\\u0000")),
        "surrogate": _changed(record, value=good.body().replace("好".encode(), b"\\ud800")),
        "header of another shop": _changed(record, headers=headers | {"ce_shop": foreign.encode()}),
        "another shop's conversation": message_of(_x(platform, talk, shop_id=ShopId(foreign))),
        "key of another conversation": _changed(record, key=b"elsewhere"),
        "no conversation": message_of(_x(platform, {**talk, "id": platform.service.ids.new()})),
    }
    places: dict[Position, str] = {}
    for name, bad in poison.items():
        await platform.say(talk, f"before {name}")
        places[await platform.producer.send(bad)] = name
    await platform.say(talk, "the end")
    await eventually(lambda: _has_text(agent, talk, "the end"), within=20)

    found = await letters(platform.service.bus, "conversation.archive")

    set_aside = {places[Position(one.partition, one.offset)] for one in found if
                 Position(one.partition, one.offset) in places}  # fmt: skip
    assert set_aside == set(poison)
    assert await _texts(agent, talk) == [f"before {name}" for name in poison] + ["the end"]
    assert not any("好" in one.reason for one in found)


@pytest.mark.parametrize("kind", ["conversation.blessed.v1", "chat.reaction.v1"])
async def test_what_a_newer_release_wrote_is_kept_and_not_shown(
    platform: Platform, kind: str
) -> None:
    _, agent, buyer, talk = await _talk(platform)
    said = message(talk, "前", kind=SenderKind.BUYER, ids=platform.service.ids)
    record = message_of(said)
    body = json.loads(record.value or b"") | {"buyer_id": buyer.id, "version": 7}
    headers = dict(record.headers) | {"ce_type": kind.encode()}
    place = await platform.producer.send(
        _changed(record, headers=headers, value=json.dumps(body).encode())
    )
    await platform.say(talk, "后")
    await eventually(lambda: _has_text(agent, talk, "后"))

    assert await _stored_type(platform, place) == kind
    assert await _texts(agent, talk) == await _texts(buyer, talk) == ["后"]
    dead = await letters(platform.service.bus, "conversation.archive")
    assert place not in {Position(one.partition, one.offset) for one in dead}


async def _stored_type(platform: Platform, place: Position) -> str:
    query = "select type from messages where partition = :p and log_offset = :o"
    async with platform.service.db.read_across("a test") as session:
        found = await session.execute(text(query), {"p": place.partition, "o": place.offset})
        return str(found.scalar_one())


async def test_messages_of_unknown_conversations_make_the_archive_of_no_shop_rest(
    platform: Platform,
) -> None:
    _, agent, _, talk = await _talk(platform)
    for _ in range(IN_A_ROW + 5):
        unknown = {**talk, "id": platform.service.ids.new()}
        await platform.producer.send(message_of(_x(platform, unknown)))
    await platform.say(talk, "after a restore")
    await eventually(lambda: _has_text(agent, talk, "after a restore"))

    assert platform.service.archive.loop.rests_because is None


async def test_forty_visitors_with_one_poison_each_delay_an_honest_buyer_by_one_rest(
    platform: Platform,
) -> None:
    _, agent, _, talk = await _talk(platform)
    loop, ids = platform.service.archive.loop, platform.service.ids
    await eventually(lambda: _archived(agent, talk))
    for _ in range(40):
        bad = _changed(message_of(_x(platform, talk)), value=b"{", key=ids.new().encode())
        await platform.producer.send(bad)
    await eventually(lambda: loop.rests_because, within=20)

    await platform.say(talk, "honest")
    before = _rests(platform)

    await eventually(lambda: _has_text(agent, talk, "honest"), within=3 * NEXT_REST_S)
    # While the poison was still being written a rest may have followed another; one may begin yet.
    assert _rests(platform) - before <= 1
    await eventually(lambda: loop.healthy)


def _rests(platform: Platform) -> float:
    found = platform.service.metrics.registry.get_sample_value(
        "peakdesk_consumer_rests_total", {"group": "conversation.archive"}
    )
    return found or 0.0


async def test_the_mark_covers_what_is_archived_and_never_falls(platform: Platform) -> None:
    _, agent, buyer, talk = await _talk(platform)
    _, first = await platform.say(talk, "a")
    await eventually(lambda: _has_text(agent, talk, "a"))
    before = await _attached(platform, buyer, talk)
    assert before["mark"]["partition"] == first.partition
    assert before["mark"]["offset"] > first.offset

    ends = {first.partition: 0}
    await platform.service.archiving.store(Batch.empty(), ends, generation=1)

    assert (await _attached(platform, buyer, talk))["mark"] == before["mark"]


async def test_a_dead_record_at_the_end_raises_the_mark_too(platform: Platform) -> None:
    _, agent, buyer, talk = await _talk(platform)
    await platform.say(talk, "good")
    record = message_of(_x(platform, talk))
    place = await platform.producer.send(_changed(record, value=b"{"))

    async def passed() -> bool:
        return bool((await _attached(platform, buyer, talk))["mark"]["offset"] > place.offset)

    await eventually(passed)
    assert await _has_text(agent, talk, "good")


async def test_a_seat_is_given_by_one_snapshot(platform: Platform) -> None:
    shop, agent, buyer, talk = await _talk(platform)
    _, place = await platform.say(talk, "first")
    await platform.say(talk, "second")
    await eventually(lambda: _has_text(agent, talk, "second"))

    fresh = await _attached(platform, agent, talk, role="agent")
    rest = await _attached(platform, buyer, talk, after=f"1,{place.offset}")
    short = await _attached(platform, buyer, talk, after="1,0", limit=1)

    assert fresh["conversation"]["agent_id"] == agent.id
    assert (fresh["seat"], rest["seat"]) == ("owner", "buyer")
    assert fresh["members"][1] == {"person_id": agent.id, "role": "agent"}
    assert fresh["version"] == fresh["assignment_version"] == 2
    assert all(one["position"][1] < fresh["mark"]["offset"] for one in fresh["items"])
    assert [one["d"]["d"]["text"] for one in rest["items"]] == ["second"]
    assert short["resync"] is True
    assert short["items"] == []
    watcher = await _attached(platform, await shop.staff("supervisor"), talk, role="supervisor")
    assert watcher["seat"] == "watcher"


async def test_nobody_is_seated_in_a_foreign_conversation(platform: Platform) -> None:
    shop, _, _, talk = await _talk(platform)
    other = await platform.shop()
    path = f"/internal/conversations/{talk['id']}/attach"
    strangers = [
        {"subject": other.boss.id, "role": "admin", "shop": other.id},
        {"subject": (await shop.buyer()).id, "role": "buyer", "shop": shop.id},
        {"subject": other.boss.id, "role": "buyer", "shop": other.id},
    ]

    for stranger in strangers:
        assert code(await platform.internal(path, **stranger)) == (404, "not_found")
    nothing = await platform.internal("/internal/conversations/x/attach", **strangers[0])
    assert code(nothing) == (404, "not_found")


async def test_a_late_message_of_the_buyer_reopens_and_finds_the_same_agent(
    platform: Platform,
) -> None:
    shop, agent, _, talk = await _talk(platform)
    path = f"/v1/conversations/{talk['id']}"
    ok(await agent.post(f"{path}/close"))
    await shop.staff()

    event, _ = await platform.say(talk, "还有一个问题")

    await eventually(lambda: _state(agent, path, "assigned"))
    assert ok(await agent.get(path))["agent_id"] == agent.id
    ok(await agent.post(f"{path}/close"))
    version = ok(await agent.get(path))["version"]
    await platform.publish(event)  # a repeat is no contact
    await platform.say(talk, "marker", kind=SenderKind.AUTO, sender_id=PersonId(agent.id))
    await eventually(lambda: _has_text(agent, talk, "marker"))
    assert ok(await agent.get(path)) | {"version": version} == ok(await agent.get(path))
    assert ok(await agent.get(path))["state"] == "closed"


async def test_what_staff_sends_after_the_close_is_kept_and_marked_late(
    platform: Platform,
) -> None:
    _, agent, _, talk = await _talk(platform)
    path = f"/v1/conversations/{talk['id']}"
    await platform.say(talk, "hello")
    await eventually(lambda: _has_text(agent, talk, "hello"))
    ok(await agent.post(f"{path}/close"))

    await platform.say(talk, "too late", kind=SenderKind.AGENT)

    await eventually(lambda: _has_text(agent, talk, "too late"))
    late = [one["d"]["d"]["text"] for one in await _archived(agent, talk) if one.get("late")]
    assert late == ["too late"]
    assert ok(await agent.get(path))["state"] == "closed"


async def test_history_pages_in_both_directions(platform: Platform) -> None:
    _, agent, buyer, talk = await _talk(platform)
    for number in range(7):
        await platform.say(talk, str(number))
    await eventually(lambda: _has_text(agent, talk, "6"))
    path = f"/v1/conversations/{talk['id']}/messages"

    down = await _walk(buyer, path, "desc")
    up = await _walk(buyer, path, "asc")

    assert down == list(reversed(up))
    assert [one for one in up if one in set("0123456")] == list("0123456")
    cursor = ok(await buyer.get(path, limit=2))["next_cursor"]
    turned = await buyer.get(path, limit=2, cursor=cursor, order="asc")
    assert code(turned) == (422, "bad_cursor")


async def test_a_buyer_without_a_profile_hides_nobody(platform: Platform) -> None:
    shop, agent, buyer, talk = await _talk(platform)
    other = ok(await (await shop.buyer()).post("/v1/conversations"), 201)
    async with platform.service.db.write_across("a test") as session:
        await session.execute(text("delete from buyers where id = :id"), {"id": buyer.id})

    seated = await _attached(platform, agent, talk, role="agent")
    listed = ok(await agent.get("/v1/conversations"))["items"]

    assert seated["conversation"]["buyer"]["name"] == ""
    assert {one["id"] for one in listed} == {talk["id"], other["id"]}
    await _attached(platform, buyer, talk)


async def test_an_unknown_message_is_not_found(platform: Platform) -> None:
    found = await platform.internal(f"/internal/messages/{platform.service.ids.new()}")
    assert code(found) == (404, "not_found")


async def _walk(reader: Person, path: str, order: str) -> list[str]:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = ok(await reader.get(path, limit=3, order=order, **cursor))
        seen += [one["d"].get("d", {}).get("text", one["id"]) for one in page["items"]]
        if page["next_cursor"] is None:
            return seen
        cursor = {"cursor": page["next_cursor"]}


async def _attached(
    platform: Platform, who: Person, talk: Mapping[str, Any], *, role: str = "buyer", **more: Any
) -> dict[str, Any]:
    asked = {"subject": who.id, "role": role, "shop": who.shop_id} | more
    return ok(await platform.internal(f"/internal/conversations/{talk['id']}/attach", **asked))


async def _conflicts(platform: Platform, place: Position) -> list[tuple[str, str, str]]:
    async with platform.service.db.read_across("a test") as session:
        rows = await session.execute(
            text(
                "select message_id, body_hash, first_hash from id_conflicts"
                " where partition = :partition and log_offset = :offset"
            ),
            {"partition": place.partition, "offset": place.offset},
        )
        return [(str(row.message_id), row.body_hash, row.first_hash) for row in rows]


async def _is(found: Any, wanted: object) -> bool:
    return bool(await found == wanted)


async def _has(found: Any, wanted: str) -> bool:
    return wanted in [one["type"] for one in await found]


async def _has_text(reader: Person, talk: Mapping[str, Any], wanted: str) -> bool:
    return wanted in await _texts(reader, talk)


async def _state(reader: Person, path: str, wanted: str) -> bool:
    return bool(ok(await reader.get(path))["state"] == wanted)


def _x(platform: Platform, talk: Mapping[str, Any], **changed: Any) -> ChatMessage:
    return message(talk, "x", kind=SenderKind.BUYER, ids=platform.service.ids, **changed)


def _changed(record: Message, **changed: Any) -> Message:
    headers = changed.pop("headers", dict(record.headers))
    fields = {"topic": record.topic, "key": record.key, "value": record.value} | changed
    return Message(headers=tuple(headers.items()), **fields)
