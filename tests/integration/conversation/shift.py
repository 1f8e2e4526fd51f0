"""A shift on a clock that the test moves: buyers come and speak, agents are reported or lost."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from contracts.people import OrderId, PersonId, SenderKind, ShopId, WorkId
from contracts.work import WorkKind, WorkOpened
from kit.clock import ManualClock
from services.conversation.presence import registration as presence
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, Shop, ok, started
from tests.waiting import eventually


async def open_talk(buyer: Person, **wish: object) -> dict[str, Any]:
    return ok(await buyer.post("/v1/conversations", wish), 201)


async def talk_now(reader: Person, talk: Mapping[str, Any]) -> dict[str, Any]:
    return ok(await reader.get(f"/v1/conversations/{talk['id']}"))


async def until_queued(reader: Person, talk: Mapping[str, Any]) -> dict[str, Any]:
    """Wait until the conversation is back in the queue: a word of the buyer brings it there."""

    async def shown() -> dict[str, Any]:
        now = await talk_now(reader, talk)
        return now if now["state"] == "queued" else {}

    return await eventually(shown)


@asynccontextmanager
async def watched_by_hand(settings: SeedSettings, clock: ManualClock) -> AsyncIterator[Platform]:
    """Run the service on a clock; only `let_pass` looks who is there, one look at a time.

    What the service's own look has taken up beside it, it may still be at work on.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presence, "LOOK_S", 10_000_000.0)
        async with started(settings, clock=clock) as running_platform:
            yield running_platform


async def let_pass(platform: Platform, clock: ManualClock, seconds: int) -> None:
    """Let observed time pass, a look each second."""
    presence = platform.service.presence
    await eventually(lambda: presence.loop.caught_up.is_set() and presence.loop.lag() == 0)
    for _ in range(seconds):
        clock.advance(1.0)
        await presence.look()


async def buyer_says(platform: Platform, talk: Mapping[str, Any], words: str) -> None:
    """Let the buyer say something and wait until it is archived."""
    await archived_word(platform, talk, words, kind=SenderKind.BUYER)


async def agent_says(
    platform: Platform, talk: Mapping[str, Any], words: str, **changed: Any
) -> None:
    """Let the conversation's agent answer and wait until it is archived."""
    await archived_word(platform, talk, words, kind=SenderKind.AGENT, **changed)


async def archived_word(
    platform: Platform, talk: Mapping[str, Any], words: str, *, kind: SenderKind, **changed: Any
) -> None:
    """Put a message into the log and wait until it is archived."""
    event, _ = await platform.say(talk, words, kind=kind, **changed)

    async def there() -> bool:
        return (await platform.internal(f"/internal/messages/{event.id}")).status_code == 200

    await eventually(there)


async def state_of(agent: Person) -> str:
    agents = ok(await agent.get("/v1/agents"))["items"]
    return str(next(one["state"] for one in agents if one["id"] == agent.id))


async def report_staff(platform: Platform, *people: Person) -> None:
    """Report people as a gateway would, and wait until the service has read it."""
    read = reports_read(platform)
    await platform.report(*people)
    await eventually(lambda: reports_read(platform) > read)


def reports_read(platform: Platform) -> float:
    labels = {"group": "conversation.presence", "topic": "presence", "outcome": "done"}
    registry = platform.service.metrics.registry
    return registry.get_sample_value("peakdesk_consumed_records_total", labels) or 0.0


def new_work(platform: Platform, shop: Shop) -> WorkOpened:
    now = platform.service.clock.now()
    return WorkOpened(
        id=platform.service.ids.new(),
        time=now,
        shop_id=ShopId(shop.id),
        work_id=WorkId(platform.service.ids.new()),
        kind=WorkKind.VERIFY_ADDRESS,
        order_id=OrderId(platform.service.ids.new()),
        buyer_id=PersonId(platform.service.ids.new()),
        due_at=now + timedelta(hours=1),
    )


async def work_of(person: Person) -> list[dict[str, Any]]:
    """Return the work in somebody's inbox."""
    work: list[dict[str, Any]] = ok(await person.get("/v1/inbox"))["work"]
    return work


async def seen(platform: Platform, event_id: str) -> bool:
    """Tell whether the service has had the event."""
    query = text("select 1 from inbox where event_id = :id")
    async with platform.service.db.read_across("a test") as session:
        return (await session.execute(query, {"id": event_id})).scalar() is not None
