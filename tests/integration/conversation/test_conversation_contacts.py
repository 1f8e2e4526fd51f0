"""What a stored message changes (H30): who is served again, who wrote elsewhere; after a crash."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import (
    ConversationContacted,
    ConversationReopened,
    LateMessage,
    Lifecycle,
)
from contracts.people import SenderKind, ShopId
from kit.bus.deadletter import letters
from kit.bus.ports import Position
from kit.clock import ManualClock
from kit.errors import Unavailable
from services.conversation.archive.contacts import AGAIN, Contacts
from services.conversation.archive.domain import Contact
from services.conversation.turns import Turns
from tests.integration.conversation import timed
from tests.integration.conversation.desk import Person, Platform, ok
from tests.integration.conversation.shift import talk_now
from tests.integration.conversation.talking import archived, begin, close, events, has_text, told
from tests.integration.conversation.timed import stands
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

clock, platform, admin = timed.clock, timed.platform, timed.admin

GAP_S = 601


async def test_a_message_into_an_old_conversation_is_kept_and_told_where_the_buyer_is_served(
    platform: Platform, clock: ManualClock
) -> None:
    _, agent, buyer, old = await begin(platform)
    new = await _begin_anew(agent, buyer, old, clock)
    version = (await talk_now(agent, old))["version"]

    said, place = await platform.say(old, "旧窗口里的话")

    late = await _one(platform, old, LateMessage)
    contacted = await _one(platform, new, ConversationContacted)
    assert (late.message_id, late.continue_in, late.agent_id) == (said.id, new["id"], agent.id)
    assert late.version == version + 1
    assert (contacted.message_id, contacted.written_in) == (said.id, old["id"])
    assert abs(contacted.received_at - said.time).total_seconds() < 0.001
    assert contacted.version == new["version"] + 1
    shown = [one for one in await archived(buyer, old) if one["id"] == said.id]
    assert [one.get("late") for one in shown] == [True]
    assert (await talk_now(agent, old))["state"] == "closed"
    assert (await talk_now(agent, new))["agent_id"] == agent.id
    assert place not in await _set_aside(platform)


async def test_the_answer_to_a_gateway_says_where_a_closed_conversation_goes_on(
    platform: Platform, clock: ManualClock
) -> None:
    _, agent, buyer, old = await begin(platform)
    assert (await _attached(platform, buyer, old))["continue_in"] is None
    new = await _begin_anew(agent, buyer, old, clock)

    assert (await _attached(platform, buyer, old))["continue_in"] == new["id"]
    assert (await _attached(platform, buyer, new))["continue_in"] is None
    ok(await agent.post(f"/v1/conversations/{new['id']}/close"))
    assert (await _attached(platform, buyer, old))["continue_in"] is None


async def test_words_of_one_moment_in_two_old_conversations_reopen_one_and_go_on_there(
    platform: Platform, clock: ManualClock
) -> None:
    _, agent, buyer, first = await begin(platform)
    second = await _begin_anew(agent, buyer, first, clock)
    await close(agent, second)

    await asyncio.gather(platform.say(first, "甲"), platform.say(second, "乙"))

    await eventually(lambda: has_text(agent, first, "甲"))
    await eventually(lambda: has_text(agent, second, "乙"))
    await eventually(lambda: _contacts_left(platform, first["shop_id"], 0))
    states = sorted([(await talk_now(agent, one))["state"] for one in (first, second)])
    assert states == ["assigned", "closed"]
    late = [await told(platform, agent, one, LateMessage) for one in (first, second)]
    assert sorted(map(len, late)) == [0, 1]


async def test_a_lost_agents_buyer_in_another_window_is_queued_where_he_is_served(
    platform: Platform, clock: ManualClock
) -> None:
    shop, agent, buyer, old = await begin(platform)
    new = await _begin_anew(agent, buyer, old, clock)
    await agent.be("offline")
    assert (await talk_now(agent, new))["agent_id"] == agent.id  # nobody waited for an answer

    await platform.say(old, "有人吗")

    await eventually(lambda: stands(shop.boss, new, "queued"))
    assert (await talk_now(shop.boss, old))["state"] == "closed"


async def test_a_crash_between_storing_and_acting_leaves_what_the_next_look_repairs(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, agent, _, talk = await begin(platform)
    await close(agent, talk)

    act = Contacts._act

    async def dies(
        self: Contacts, session: AsyncSession, shop_id: ShopId, taken: Sequence[Contact]
    ) -> None:
        await act(self, session, shop_id, taken)
        raise Unavailable("killed")

    monkeypatch.setattr(Contacts, "_act", dies)
    await platform.say(talk, "又来了")
    await eventually(lambda: has_text(agent, talk, "又来了"))
    assert await _contacts_left(platform, shop.id, 1)
    assert (await talk_now(agent, talk))["state"] == "closed"
    monkeypatch.undo()

    await platform.service.archive.worker.look()

    await eventually(lambda: stands(agent, talk, "assigned"))
    assert await _contacts_left(platform, shop.id, 0)
    assert len(await told(platform, agent, talk, ConversationReopened)) == 1


async def test_nobody_who_has_a_shops_turn_holds_up_the_archive(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    await close(agent, talk)

    async with platform.service.turns.write(shop.id):
        await platform.say(talk, "等等我")
        await eventually(lambda: has_text(agent, talk, "等等我"))
        assert (await talk_now(agent, talk))["state"] == "closed"

    await eventually(lambda: stands(agent, talk, "assigned"))


async def test_one_contact_that_cannot_be_acted_on_is_put_off_and_holds_up_no_other(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, agent, _, bad = await begin(platform)
    good = ok(await (await shop.buyer()).post("/v1/conversations"), 201)
    await close(agent, bad)
    await close(agent, good)
    act = Contacts._act

    async def fails(
        self: Contacts, session: AsyncSession, shop_id: ShopId, taken: Sequence[Contact]
    ) -> None:
        if any(contact.conversation_id == bad["id"] for contact in taken):
            raise ZeroDivisionError
        await act(self, session, shop_id, taken)

    monkeypatch.setattr(Contacts, "_act", fails)
    await platform.say(bad, "坏")
    await platform.say(good, "好")

    await eventually(lambda: stands(agent, good, "assigned"))
    await eventually(lambda: _contacts_left(platform, shop.id, 1))
    assert (await talk_now(agent, bad))["state"] == "closed"
    monkeypatch.undo()
    clock.advance(AGAIN.total_seconds() + 1)
    await platform.service.archive.worker.look()
    await eventually(lambda: stands(agent, bad, "assigned"))


async def test_two_workers_at_once_act_once(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    await close(agent, talk)
    service = platform.service
    elsewhere = replace(service.archive.contacts, turns=Turns(service.db, waiting_most=1))

    async with service.turns.write(shop.id):
        for number in range(5):
            await platform.say(talk, str(number))
        await eventually(lambda: has_text(agent, talk, "4"))
        workers = (service.archive.contacts, elsewhere)
        acting = [asyncio.create_task(each.settle(ShopId(shop.id))) for each in workers]

    await asyncio.gather(*acting)
    await eventually(lambda: stands(agent, talk, "assigned"))
    assert len(await told(platform, agent, talk, ConversationReopened)) == 1


async def test_a_buyer_whose_older_conversation_goes_on_is_given_that_one(
    platform: Platform, clock: ManualClock
) -> None:
    _, agent, buyer, old = await begin(platform)
    new = await _begin_anew(agent, buyer, old, clock)
    await close(agent, new)
    await platform.say(old, "还是这个窗口")
    await eventually(lambda: stands(agent, old, "assigned"))
    clock.advance(120)

    assert ok(await buyer.post("/v1/conversations"), 201)["id"] == old["id"]


async def test_staffs_word_behind_the_close_is_no_contact(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    await close(agent, talk)

    await platform.say(talk, "再见", kind=SenderKind.AGENT)

    await eventually(lambda: has_text(agent, talk, "再见"))
    assert await _contacts_left(platform, shop.id, 0)
    assert (await talk_now(agent, talk))["state"] == "closed"


async def _begin_anew(
    agent: Person, buyer: Person, old: Mapping[str, Any], clock: ManualClock
) -> dict[str, Any]:
    """Close a conversation, let the reopen gap pass and open the buyer's next one."""
    await close(agent, old)
    clock.advance(GAP_S)
    new = ok(await buyer.post("/v1/conversations"), 201)
    assert new["id"] != old["id"]
    return new


async def _attached(platform: Platform, buyer: Person, talk: Mapping[str, Any]) -> dict[str, Any]:
    asked = {"subject": buyer.id, "role": "buyer", "shop": buyer.shop_id}
    return ok(await platform.internal(f"/internal/conversations/{talk['id']}/attach", **asked))


async def _one(platform: Platform, talk: Mapping[str, Any], kind: type[Lifecycle]) -> Any:
    """Return the one event of a type that the log holds of a conversation."""
    (found,) = await eventually(lambda: events(platform, "chat", talk["id"], kind))
    return found


async def _contacts_left(platform: Platform, shop_id: str, wanted: int) -> bool:
    async with platform.service.db.read_across("a test") as session:
        query = text("select count(*) from contacts where shop_id = :shop")
        return bool((await session.execute(query, {"shop": shop_id})).scalar_one() == wanted)


async def _set_aside(platform: Platform) -> set[Position]:
    found = await letters(platform.service.bus, "conversation.archive")
    return {Position(one.partition, one.offset) for one in found}
