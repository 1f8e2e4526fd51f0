"""What silence ends (H36), judged only as far as the archive is complete (H48)."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import (
    ConversationClosed,
    ConversationContacted,
    ConversationReopened,
    ConversationTransferred,
)
from contracts.people import SenderKind, ShopId
from contracts.topics import CHAT
from kit import positions
from kit.clock import ManualClock
from kit.errors import Unavailable
from services.conversation.archive import repository as archive
from services.conversation.archive.service import Archiving
from services.conversation.reception import sweeps
from services.conversation.routing.service import Routing
from services.conversation.routing.sweeps import BEHIND_MOST
from tests.integration.conversation import timed
from tests.integration.conversation.desk import Person, Platform, ok
from tests.integration.conversation.shift import talk_now
from tests.integration.conversation.talking import (
    archived,
    begin,
    complete,
    events,
    has_text,
    noted,
    stands,
    told,
)
from tests.integration.conversation.timed import is_open
from tests.waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

clock, platform, admin = timed.clock, timed.platform, timed.admin

IDLE_S = 1_800
ABANDON_S = 86_400

NEW_PARTITION = 99
"""Nothing was ever archived of it."""


async def test_what_was_answered_is_closed_as_idle_and_goes_on_with_the_buyers_next_word(
    platform: Platform, clock: ManualClock
) -> None:
    """Golden case 21, as far as this service tells it: no person closed, and it is the same one."""
    _, agent, _, talk = await begin(platform)
    await _talked(platform, agent, talk)
    await _swept(platform, clock, IDLE_S - 1)
    agent = await platform.sign_in(agent.login)
    assert (await talk_now(agent, talk))["state"] == "assigned"

    await _swept(platform, clock, 2)

    assert (await talk_now(agent, talk))["state"] == "closed"
    assert ok(await agent.get("/v1/inbox"))["conversations"] == []
    (closed,) = await eventually(lambda: events(platform, "chat", talk["id"], ConversationClosed))
    assert (closed.sweep, closed.reason, closed.by) == ("idle", "idle", "system")
    assert closed.agent_id == agent.id
    clock.advance(15 * 60)
    agent = await platform.sign_in(agent.login)
    await platform.say(talk, "还有一件事")
    await eventually(lambda: is_open(agent, talk))
    (reopened,) = await told(platform, agent, talk, ConversationReopened)
    assert reopened.reason == "buyer_message"


async def test_a_note_keeps_no_conversation_open(platform: Platform, clock: ManualClock) -> None:
    _, agent, _, talk = await begin(platform)
    await _talked(platform, agent, talk)
    clock.advance(IDLE_S - 60)
    agent = await platform.sign_in(agent.login)
    note, _ = await noted(platform, talk)
    await eventually(lambda: stands(agent, talk, note.id))

    await _swept(platform, clock, 61)

    assert (await talk_now(agent, talk))["state"] == "closed"


async def test_whom_nobody_answered_is_given_up_after_a_day_and_leaves_the_queue(
    platform: Platform, clock: ManualClock
) -> None:
    """Golden case 24, as far as this service tells it."""
    shop = await platform.shop()
    talk = ok(await (await shop.buyer()).post("/v1/conversations"), 201)
    await platform.say(talk, "有人吗")
    await eventually(lambda: has_text(shop.boss, talk, "有人吗"))
    await _swept(platform, clock, ABANDON_S - 1)
    boss = await platform.sign_in(shop.boss.login)
    assert (await talk_now(boss, talk))["state"] == "queued"

    await _swept(platform, clock, 2)

    assert (await talk_now(boss, talk))["state"] == "closed"
    assert ok(await boss.get("/v1/conversations", state="queued"))["items"] == []
    (closed,) = await eventually(lambda: events(platform, "chat", talk["id"], ConversationClosed))
    assert (closed.sweep, closed.reason) == ("abandoned", "abandoned")
    await platform.say(talk, "算了，再问一次")
    await eventually(lambda: is_open(boss, talk))


async def test_with_the_archive_stopped_nothing_is_closed_while_agents_talk(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, agent, _, talk = await begin(platform)
    await _talked(platform, agent, talk)
    await complete(platform, clock)
    monkeypatch.setattr(Archiving, "store", _stopped)

    for _ in range(4):
        await platform.say(talk, "我还在查", kind=SenderKind.AGENT)
        clock.advance(IDLE_S / 2)
        await platform.service.archive.completeness.look()
        through = await platform.service.archive.completeness.through()
        assert through is not None
        assert clock.now() - through > BEHIND_MOST
        await platform.service.closings.close_silent()

    agent = await platform.sign_in(agent.login)
    assert (await talk_now(agent, talk))["state"] == "assigned"
    monkeypatch.undo()
    await _swept(platform, clock, 5)
    agent = await platform.sign_in(agent.login)
    assert (await talk_now(agent, talk))["state"] == "assigned"
    assert await told(platform, agent, talk, ConversationClosed) == []


async def test_a_word_that_was_not_archived_when_a_sweep_closed_reopens_though_it_stands_before(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, agent, _, talk = await begin(platform)
    await _talked(platform, agent, talk)
    clock.advance(IDLE_S + 1)
    await complete(platform, clock)
    monkeypatch.setattr(Archiving, "store", _stopped)
    said, place = await platform.say(talk, "等一下")
    await platform.service.closings.close_silent()
    agent = await platform.sign_in(agent.login)
    assert (await talk_now(agent, talk))["state"] == "closed"
    await eventually(lambda: events(platform, "chat", talk["id"], ConversationClosed))
    monkeypatch.undo()

    await eventually(lambda: is_open(agent, talk))

    (closed,) = await told(platform, agent, talk, ConversationClosed)
    places = await eventually(lambda: _places(agent, talk, said.id, closed.id))
    assert places[said.id] == place.offset < places[closed.id]
    since = datetime.fromisoformat((await talk_now(agent, talk))["waiting_since"])
    assert abs(since - said.time) < timedelta(milliseconds=1)


async def test_a_word_that_was_not_archived_when_its_buyer_was_given_up_is_waited_for(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The close stands behind the word and ends every wait before it; this one nobody had seen."""
    _, agent, _, talk = await begin(platform)
    await platform.say(talk, "在吗")
    await eventually(lambda: has_text(agent, talk, "在吗"))
    clock.advance(ABANDON_S + 1)
    agent = await platform.sign_in(agent.login)
    await complete(platform, clock)
    monkeypatch.setattr(Archiving, "store", _stopped)
    said, place = await platform.say(talk, "还有人吗")
    await platform.service.closings.close_silent()
    (closed,) = await eventually(lambda: events(platform, "chat", talk["id"], ConversationClosed))
    assert closed.sweep == "abandoned"
    monkeypatch.undo()

    await eventually(lambda: _waits_since(agent, talk, said.time))

    assert await is_open(agent, talk)
    places = await eventually(lambda: _places(agent, talk, said.id, closed.id))
    assert places[said.id] == place.offset < places[closed.id]
    (contacted,) = await told(platform, agent, talk, ConversationContacted)
    assert (contacted.message_id, contacted.written_in) == (said.id, talk["id"])
    await agent.be("offline")
    assert (await talk_now(agent, talk))["state"] == "queued", "nobody is left behind unanswered"
    assert await _waits_since(agent, talk, said.time)


@pytest.mark.parametrize("partition", [0, NEW_PARTITION], ids=["archived before", "its first"])
async def test_a_word_that_is_being_archived_is_waited_for(
    platform: Platform, clock: ManualClock, partition: int
) -> None:
    _, agent, buyer, talk = await begin(platform)
    await _talked(platform, agent, talk)
    clock.advance(IDLE_S + 1)
    await complete(platform, clock)

    async with platform.service.db.write_across("a test") as session:
        await positions.raise_marks(session, CHAT.name, {partition: 0})
        await session.execute(
            text(
                "insert into messages (message_id, conversation_id, generation, partition,"
                " log_offset, type, time, sender_kind, body) values (gen_random_uuid(), :id, 1,"
                " :partition, 1000000000, 'chat.message.v1', :now, 'buyer', '{}')"
            ),
            {"id": talk["id"], "now": clock.now(), "partition": partition},
        )
        sweeping = asyncio.create_task(platform.service.closings.close_silent())
        await asyncio.sleep(0.3)
        assert not sweeping.done()

    await sweeping
    agent = await platform.sign_in(agent.login)
    assert (await talk_now(agent, talk))["state"] == "assigned"
    assert buyer.id == (await talk_now(agent, talk))["buyer_id"]


async def test_who_is_waited_for_is_not_idle_and_what_staff_took_up_again_is_not_either(
    platform: Platform, clock: ManualClock
) -> None:
    shop, agent, _, waits = await begin(platform)
    await platform.say(waits, "在吗")
    taken_up = ok(await (await shop.buyer()).post("/v1/conversations"), 201)
    await _talked(platform, agent, taken_up)
    ok(await agent.post(f"/v1/conversations/{taken_up['id']}/close"))
    clock.advance(IDLE_S + 1)
    agent = await platform.sign_in(agent.login)
    ok(await agent.post(f"/v1/conversations/{taken_up['id']}/reopen"))

    await _swept(platform, clock, 1)

    assert await is_open(agent, waits)
    assert await is_open(agent, taken_up)


async def test_a_word_from_a_seat_that_was_lost_is_no_answer(
    platform: Platform, clock: ManualClock
) -> None:
    shop, agent, _, talk = await begin(platform)
    colleague = await shop.staff()
    await platform.say(talk, "在吗")
    seated = await talk_now(agent, talk)
    over = {"to_agent": colleague.id, "note": "换班"}
    ok(await agent.post(f"/v1/conversations/{talk['id']}/transfer", over))
    await eventually(lambda: events(platform, "chat", talk["id"], ConversationTransferred))
    seat = seated["assignment_version"]
    await platform.say(seated, "在的", kind=SenderKind.AGENT, assignment_version=seat)
    await eventually(lambda: has_text(colleague, talk, "在的"))

    await _swept(platform, clock, IDLE_S + 1)

    colleague = await platform.sign_in(colleague.login)
    assert (await talk_now(colleague, talk))["agent_id"] == colleague.id


async def test_each_shop_has_its_own_idea_of_silence(
    platform: Platform, clock: ManualClock
) -> None:
    quick, agent, _, talk = await begin(platform)
    ok(await quick.boss.patch(f"/v1/shops/{quick.id}/timing", {"idle_close_s": 60}))
    _, patient, _, other = await begin(platform)
    await _talked(platform, agent, talk)
    await _talked(platform, patient, other)

    await _swept(platform, clock, 61)

    assert (await talk_now(agent, talk))["state"] == "closed"
    assert (await talk_now(patient, other))["state"] == "assigned"


async def test_who_waits_gets_the_place_of_whom_silence_closed(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    agent = await shop.staff(capacity=1)
    talk = ok(await (await shop.buyer()).post("/v1/conversations"), 201)
    await _talked(platform, agent, talk)
    clock.advance(IDLE_S)
    buyer = await shop.buyer()
    waiting = ok(await buyer.post("/v1/conversations"), 201)
    assert waiting["state"] == "queued"

    await _swept(platform, clock, 1)

    agent = await platform.sign_in(agent.login)
    assert (await talk_now(agent, talk))["state"] == "closed"
    assert (await talk_now(agent, waiting))["agent_id"] == agent.id


async def test_all_shops_are_archived_again_before_the_places_are_given_away(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, agent, _, talk = await begin(platform)
    await _talked(platform, agent, talk)
    filled: list[str] = []
    plain = Routing.fill

    async def beside(routing: Routing, session: AsyncSession, shop_id: ShopId, why: str) -> int:
        if why == "slot_free":
            async with platform.service.db.write_across("a test") as other:
                await asyncio.wait_for(archive.hold_back(other), PATIENCE_S)
            filled.append(shop_id)
        return await plain(routing, session, shop_id, why)

    monkeypatch.setattr(Routing, "fill", beside)

    await _swept(platform, clock, IDLE_S + 1)

    assert talk["shop_id"] in filled
    agent = await platform.sign_in(agent.login)
    assert (await talk_now(agent, talk))["state"] == "closed"


async def test_more_than_one_go_of_a_shop_are_all_closed(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "AT_ONCE", 2)
    shop, agent, _, talk = await begin(platform)
    others = [ok(await (await shop.buyer()).post("/v1/conversations"), 201) for _ in range(4)]
    await _talked(platform, agent, talk)

    await _swept(platform, clock, IDLE_S + 1)

    agent = await platform.sign_in(agent.login)
    assert {(await talk_now(agent, one))["state"] for one in (talk, *others)} == {"closed"}


async def _stopped(*_: object, **__: object) -> int:
    raise Unavailable("the archive is stopped")


async def _talked(platform: Platform, agent: Person, talk: Mapping[str, Any]) -> None:
    """Let the buyer ask and the agent answer, and wait until both is archived."""
    await platform.say(talk, "在吗")
    seated = await talk_now(agent, talk)
    await platform.say(seated, "在的", kind=SenderKind.AGENT)
    await eventually(lambda: has_text(agent, talk, "在的"))


async def _swept(platform: Platform, clock: ManualClock, seconds: float) -> None:
    clock.advance(seconds)
    await complete(platform, clock)
    await platform.service.closings.close_silent()


async def _waits_since(reader: Person, talk: Mapping[str, Any], moment: datetime) -> bool:
    since = (await talk_now(reader, talk))["waiting_since"]
    return since is not None and abs(datetime.fromisoformat(since) - moment).total_seconds() < 0.001


async def _places(reader: Person, talk: Mapping[str, Any], *wanted: str) -> dict[str, int]:
    """Return the offsets of what is archived, nothing as long as one that is wanted is not."""
    found = {one["id"]: one["position"][1] for one in await archived(reader, talk)}
    return found if found.keys() >= set(wanted) else {}
