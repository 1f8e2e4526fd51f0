"""Many agents at once: those whom a gateway loses are one go of their shop, not one each (H39)."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import AgentStateChanged
from contracts.people import AgentState, PersonId, ShopId
from kit.clock import ManualClock
from kit.web.paging import Cursors
from services.conversation.conversations.domain import Conversation
from services.conversation.presence import consumers
from services.conversation.presence.consumers import AT_ONCE, KNOWN_S
from services.conversation.presence.service import Followed, Reported, States
from services.conversation.routing import registration as routing
from services.conversation.routing.distributor import Joining
from services.conversation.routing.service import Routing
from services.conversation.seed import SeedSettings
from services.conversation.staff.domain import AtWork
from services.conversation.turns import ShopBusy, Turns
from tests.integration.conversation.desk import Person, Platform, Shop
from tests.integration.conversation.shift import (
    buyer_says,
    let_pass,
    open_talk,
    report_staff,
    state_of,
    talk_now,
    watched_by_hand,
)
from tests.integration.conversation.talking import events
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

_CROWD = text(
    """
    insert into staff (id, shop_id, login, password_hash, name, role, capacity, not_before, state,
        state_since)
    select i, :shop, i::text, '', '客服', 'agent', 10, now(), 'online', now()
    from unnest(cast(:ids as uuid[])) as t (i)
    """
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clock() -> ManualClock:
    """The business time of this module's service."""
    return ManualClock(datetime.now(UTC))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The service on that clock; only the tests look who is there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routing, "SILENCE_LOOK_S", 86_400.0)
        async with watched_by_hand(settings, clock) as running_platform:
            yield running_platform


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, str]]:
    """What presence had set: shop, how many people, why."""
    calls: list[tuple[str, int, str]] = []
    plain = States.follow

    async def noted(
        states: States, shop_id: ShopId, people: Collection[PersonId], reason: Reported
    ) -> Followed:
        calls.append((shop_id, len(people), reason))
        return await plain(states, shop_id, people, reason)

    monkeypatch.setattr(States, "follow", noted)
    return calls


@pytest.fixture
def goes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The shops of the goes that place somebody anew, one entry each."""
    shops: list[str] = []
    plain = Routing.join

    async def counted(
        routing: Routing,
        session: AsyncSession,
        shop_id: ShopId,
        joining: Sequence[Joining],
        *,
        trigger: str,
    ) -> Mapping[str, Conversation]:
        shops.append(shop_id)
        return await plain(routing, session, shop_id, joining, trigger=trigger)

    monkeypatch.setattr(Routing, "join", counted)
    return shops


async def test_agents_whom_a_gateway_loses_are_one_go_of_their_shop(
    platform: Platform,
    clock: ManualClock,
    followed: list[tuple[str, int, str]],
    goes: list[str],
) -> None:
    shops = [await platform.shop() for _ in range(2)]
    crowds = [await _crowd(platform, shop, 30) for shop in shops]
    talks = [await open_talk(await shop.buyer()) for shop in shops for _ in range(5)]
    for talk in talks:
        await buyer_says(platform, talk, "在吗")
    everybody = [one for crowd in crowds for one in crowd]
    await report_staff(platform, *everybody)
    goes.clear()
    await let_pass(platform, clock, 32)

    ours = {shop.id for shop in shops}
    lost = [call for call in followed if call[0] in ours]
    followed.clear()
    assert sorted(lost) == sorted((shop.id, 30, "heartbeat_lost") for shop in shops)
    assert sorted(one for one in goes if one in ours) == sorted(ours)
    for shop, crowd in zip(shops, crowds, strict=True):
        assert [await state_of(one) for one in crowd[:2]] == ["offline", "offline"]
        told = await eventually(partial(events, platform, "staff", crowd[-1].id, AgentStateChanged))
        assert (told[-1].state, told[-1].reason) == (AgentState.OFFLINE, "heartbeat_lost")
        assert {(await talk_now(shop.boss, talk))["state"] for talk in _of(shop, talks)} == {
            "queued"
        }

    await report_staff(platform, *everybody)
    await let_pass(platform, clock, 1)

    back = [call for call in followed if call[0] in ours]
    assert sorted(back) == sorted((shop.id, 30, "returned") for shop in shops)
    for shop in shops:
        assert {(await talk_now(shop.boss, talk))["state"] for talk in _of(shop, talks)} == {
            "assigned"
        }


async def test_more_than_a_hundred_lose_nobody_between_two_transactions(
    platform: Platform, clock: ManualClock, followed: list[tuple[str, int, str]]
) -> None:
    shop = await platform.shop()
    crowd = await _crowd(platform, shop, AT_ONCE + 20)
    await report_staff(platform, *crowd)

    await let_pass(platform, clock, 32)

    assert [count for known, count, _ in followed if known == shop.id] == [AT_ONCE, 20]
    async with platform.service.db.read(shop.id) as session:
        here = text("select count(*) from staff where shop_id = :shop and state <> 'offline'"
                    " and role = 'agent'")  # fmt: skip
        assert (await session.execute(here, {"shop": shop.id})).scalar_one() == 0


async def test_nobody_is_given_to_a_colleague_who_is_lost_as_well(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "AT_ONCE", 5)
    shop = await platform.shop()
    crowd = await _crowd(platform, shop, 20)
    talks = [await open_talk(await shop.buyer()) for _ in range(20)]
    for talk in talks:
        await buyer_says(platform, talk, "在吗")
    await report_staff(platform, *crowd)

    await let_pass(platform, clock, 32)

    for talk in talks:
        now = await talk_now(shop.boss, talk)
        assert (now["state"], now["version"]) == ("queued", talk["version"] + 1)


async def test_what_could_not_be_routed_is_routed_by_the_next_look(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await platform.shop()
    [lost] = await _crowd(platform, shop, 1)
    talk = await open_talk(await shop.buyer())
    await buyer_says(platform, talk, "在吗")
    await report_staff(platform, lost)

    async def busy(*_: object) -> None:
        raise ShopBusy

    with monkeypatch.context() as patch:
        patch.setattr(States, "route", busy)
        await let_pass(platform, clock, 32)
    assert await state_of(lost) == "offline"
    assert (await talk_now(shop.boss, talk))["agent_id"] == lost.id

    await let_pass(platform, clock, 1)

    assert (await talk_now(shop.boss, talk))["state"] == "queued"


async def test_who_is_at_work_is_read_every_few_seconds_and_not_at_every_look(
    platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0
    plain = States.at_work

    async def counted(states: States) -> Sequence[AtWork]:
        nonlocal read
        read += 1
        return await plain(states)

    monkeypatch.setattr(States, "at_work", counted)

    await let_pass(platform, clock, 30)

    assert 1 <= read <= 30 / KNOWN_S + 1


async def test_a_choice_made_since_stands_when_an_old_report_says_returned(
    platform: Platform, clock: ManualClock
) -> None:
    """Another process has brought him back meanwhile, and he went to lunch: so he stays there."""
    shop = await platform.shop()
    agent = await shop.staff()
    await report_staff(platform, agent)
    await let_pass(platform, clock, 32)
    assert await state_of(agent) == "offline"
    await _elsewhere(platform).follow(ShopId(shop.id), [PersonId(agent.id)], "returned")
    await agent.be("break")

    await report_staff(platform, agent)
    await let_pass(platform, clock, 1)

    assert await state_of(agent) == "break"


def _elsewhere(platform: Platform) -> States:
    """Return the use cases as another process has them."""
    service = platform.service
    turns, routing = Turns(service.db, waiting_most=1), Routing(service.clock, service.ids)
    return States(service.db, turns, routing, Cursors(service.settings.cursor_secret))


async def _crowd(platform: Platform, shop: Shop, count: int) -> list[Person]:
    """Hire many who are online, straight into the database: a password each would take minutes."""
    ids = [platform.service.ids.new() for _ in range(count)]
    async with platform.service.db.write(shop.id) as session:
        await session.execute(_CROWD, {"shop": shop.id, "ids": ids})
    return [Person(platform, one, shop.boss.token, "", shop.id) for one in ids]


def _of(shop: Shop, talks: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    return [talk for talk in talks if talk["shop_id"] == shop.id]
