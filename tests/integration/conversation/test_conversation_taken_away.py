"""How long somebody keeps what he took off duty: while he is there, and as long as he answers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from contracts.people import SenderKind
from kit.clock import ManualClock
from services.conversation.presence.consumers import KNOWN_S
from services.conversation.routing import registration as routing
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, Shop, ok
from tests.integration.conversation.shift import (
    archived_word,
    buyer_says,
    let_pass,
    open_talk,
    report_staff,
    talk_now,
    watched_by_hand,
)
from tests.integration.conversation.talking import complete

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SILENCE_S = 180
LOST_S = 30


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clock() -> ManualClock:
    """The business time of this module's service."""
    return ManualClock(datetime.now(UTC))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The service on that clock; only the tests look who is there, and who is silent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routing, "SILENCE_LOOK_S", 86_400.0)
        async with watched_by_hand(settings, clock) as running_platform:
            yield running_platform


async def taken_off_duty(platform: Platform) -> tuple[Shop, Person, dict[str, object]]:
    """Return a shop, its leader, and the buyer whom he took while he was off duty."""
    shop = await platform.shop()
    talk = await open_talk(await shop.buyer())
    leader = await shop.staff("supervisor")
    path = f"/v1/conversations/{talk['id']}/take"
    return shop, leader, ok(await leader.post(path, version=talk["version"]))


async def test_who_is_carried_by_no_gateway_for_thirty_seconds_loses_what_he_took(
    platform: Platform, clock: ManualClock
) -> None:
    await platform.sign_in_admin()
    shop, leader, talk = await taken_off_duty(platform)
    for _ in range(6):
        await report_staff(platform, leader)
        await let_pass(platform, clock, 10)
    assert (await talk_now(shop.boss, talk))["agent_id"] == leader.id

    await let_pass(platform, clock, LOST_S + int(KNOWN_S) + 2)

    now = await talk_now(shop.boss, talk)
    assert (now["state"], now["mode"]) == ("queued", None)


async def test_a_leader_who_is_silent_loses_what_he_took_and_one_who_answers_does_not(
    platform: Platform, clock: ManualClock
) -> None:
    await platform.sign_in_admin()
    shop, _, silent = await taken_off_duty(platform)
    _, _, answered = await taken_off_duty(platform)
    for talk in (silent, answered):
        await buyer_says(platform, talk, "在吗")
    clock.advance(SILENCE_S / 2)
    said = {"assignment_version": answered["assignment_version"]}
    await archived_word(platform, answered, "在的", kind=SenderKind.AGENT, **said)
    clock.advance(SILENCE_S / 2 + 1)
    await complete(platform, clock)

    await platform.service.sweeps.relieve()

    shop.boss = await platform.sign_in(shop.boss.login)
    assert (await talk_now(shop.boss, silent))["state"] == "queued"
    inbox = await platform.internal(
        f"/internal/inbox/{answered['agent_id']}", role="supervisor", shop=answered["shop_id"]
    )
    assert [one["id"] for one in ok(inbox)["conversations"]] == [answered["id"]]
