"""The archive on real Kafka: each message once, marks that only rise, poison set aside, history."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from contracts.people import PersonId, SenderKind
from kit.bus.ports import Position, message_of
from services.conversation.archive.domain import Batch
from tests.integration.conversation.desk import Person, Platform, code, ok
from tests.integration.conversation.talking import (
    archived,
    begin,
    changed,
    close,
    has_text,
    spoken,
    texts,
)
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_history_shows_messages_and_lifecycle_in_the_order_of_the_log(
    platform: Platform,
) -> None:
    _, agent, buyer, talk = await begin(platform)
    await eventually(lambda: _has(archived(agent, talk), "conversation.assigned.v1"))
    said, place = await platform.say(talk, "在吗")
    await platform.say(talk, "亲，在的", kind=SenderKind.AGENT, assignment_version=2)
    await eventually(lambda: _is(texts(agent, talk), ["在吗", "亲，在的"]))

    items = await archived(agent, talk)

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
    assert await texts(buyer, talk) == ["在吗", "亲，在的"]


async def test_a_buyer_never_sees_what_is_staffs_own(platform: Platform) -> None:
    shop, agent, buyer, talk = await begin(platform)
    await shop.staff()
    wish = {"to_group": "pre_sale", "note": "内部备注"}
    ok(await agent.post(f"/v1/conversations/{talk['id']}/transfer", wish))
    await eventually(lambda: _has(archived(agent, talk), "conversation.transferred.v1"))

    mine = await archived(agent, talk)
    theirs = await archived(buyer, talk)

    assert "内部备注" in str(mine)
    assert "内部备注" not in str(theirs)
    assert [one["position"] for one in mine] == [one["position"] for one in theirs]


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_a_message_delivered_again_is_archived_once(platform: Platform, times: int) -> None:
    _, agent, _, talk = await begin(platform)
    event, first = await platform.say(talk, "一次")
    for _ in range(times):
        await platform.publish(event)
    await platform.say(talk, "完")
    await eventually(lambda: _is(texts(agent, talk), ["一次", "完"]))

    found = ok(await platform.internal(f"/internal/messages/{event.id}"))

    assert found == {
        "found": True,
        "body_hash": event.body_hash,
        "position": [1, first.offset],
    }


async def test_another_body_under_the_same_id_is_recorded_and_not_shown(
    platform: Platform,
) -> None:
    _, agent, _, talk = await begin(platform)
    event, _ = await platform.say(talk, "先到")
    other = event.model_copy(update={"d": {"text": "后到"}, "body_hash": "f" * 32})
    place = await platform.publish(other)
    await eventually(lambda: _conflicts(platform, place))

    assert await texts(agent, talk) == ["先到"]
    assert await _conflicts(platform, place) == [(event.id, "f" * 32, event.body_hash)]


async def test_the_mark_covers_what_is_archived_and_never_falls(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    _, first = await platform.say(talk, "a")
    await eventually(lambda: has_text(agent, talk, "a"))
    before = await _attached(platform, buyer, talk)
    assert before["mark"]["partition"] == first.partition
    assert before["mark"]["offset"] > first.offset

    ends = {first.partition: 0}
    await platform.service.archive.archiving.store(Batch.empty(), ends, generation=1)

    assert (await _attached(platform, buyer, talk))["mark"] == before["mark"]


async def test_a_dead_record_at_the_end_raises_the_mark_too(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    await platform.say(talk, "good")
    record = message_of(spoken(platform, talk))
    place = await platform.producer.send(changed(record, value=b"{"))

    async def passed() -> bool:
        return bool((await _attached(platform, buyer, talk))["mark"]["offset"] > place.offset)

    await eventually(passed)
    assert await has_text(agent, talk, "good")


async def test_a_seat_is_given_by_one_snapshot(platform: Platform) -> None:
    shop, agent, buyer, talk = await begin(platform)
    _, place = await platform.say(talk, "first")
    await platform.say(talk, "second")
    await eventually(lambda: has_text(agent, talk, "second"))

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
    shop, _, _, talk = await begin(platform)
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
    shop, agent, _, talk = await begin(platform)
    path = f"/v1/conversations/{talk['id']}"
    await close(agent, talk)
    await shop.staff()

    event, _ = await platform.say(talk, "还有一个问题")

    await eventually(lambda: _state(agent, path, "assigned"))
    assert ok(await agent.get(path))["agent_id"] == agent.id
    await close(agent, talk)
    version = ok(await agent.get(path))["version"]
    await platform.publish(event)  # a repeat is no contact
    await platform.say(talk, "marker", kind=SenderKind.AUTO, sender_id=PersonId(agent.id))
    await eventually(lambda: has_text(agent, talk, "marker"))
    assert ok(await agent.get(path)) | {"version": version} == ok(await agent.get(path))
    assert ok(await agent.get(path))["state"] == "closed"


async def test_what_staff_sends_after_the_close_is_kept_and_marked_late(
    platform: Platform,
) -> None:
    _, agent, _, talk = await begin(platform)
    path = f"/v1/conversations/{talk['id']}"
    await platform.say(talk, "hello")
    await eventually(lambda: has_text(agent, talk, "hello"))
    await close(agent, talk)

    await platform.say(talk, "too late", kind=SenderKind.AGENT)

    await eventually(lambda: has_text(agent, talk, "too late"))
    late = [one["d"]["d"]["text"] for one in await archived(agent, talk) if one.get("late")]
    assert late == ["too late"]
    assert ok(await agent.get(path))["state"] == "closed"


async def test_history_pages_in_both_directions(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    for number in range(7):
        await platform.say(talk, str(number))
    await eventually(lambda: has_text(agent, talk, "6"))
    path = f"/v1/conversations/{talk['id']}/messages"

    down = await _walk(buyer, path, "desc")
    up = await _walk(buyer, path, "asc")

    assert down == list(reversed(up))
    assert [one for one in up if one in set("0123456")] == list("0123456")
    cursor = ok(await buyer.get(path, limit=2))["next_cursor"]
    turned = await buyer.get(path, limit=2, cursor=cursor, order="asc")
    assert code(turned) == (422, "bad_cursor")


async def test_a_buyer_without_a_profile_hides_nobody(platform: Platform) -> None:
    shop, agent, buyer, talk = await begin(platform)
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


async def _state(reader: Person, path: str, wanted: str) -> bool:
    return bool(ok(await reader.get(path))["state"] == wanted)
