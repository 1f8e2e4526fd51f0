"""Buyers whose agents do not answer: the monitor's word, and what becomes of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.conversation import HandoffEnded
from contracts.handoffs import HandoffDue
from contracts.people import ConversationId, PersonId, ShopId
from kit.clock import ManualClock
from services.conversation.handoffs import registration as handoffs
from services.conversation.presence import registration as presence
from services.conversation.routing import registration as routing
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Person, Platform, Shop, ok, started
from tests.integration.conversation.shift import buyer_says, open_talk, talk_now
from tests.integration.conversation.talking import complete, told

OFFER_S = 25
BREACH_S = 180

Talk = Mapping[str, Any]


@asynccontextmanager
async def looked_at_by_hand(settings: SeedSettings, clock: ManualClock) -> AsyncIterator[Platform]:
    """Run the service on a clock; offers are looked at when a test says so."""
    with pytest.MonkeyPatch.context() as patch:
        for one, name in ((presence, "LOOK_S"), (routing, "SILENCE_LOOK_S"), (handoffs, "LOOK_S")):
            patch.setattr(one, name, 10_000_000.0)
        async with started(settings, clock=clock) as running_platform:
            yield running_platform


@dataclass(frozen=True)
class Scene:
    """A buyer who waits for anne, and ben who is there too."""

    platform: Platform
    clock: ManualClock
    shop: Shop
    anne: Person
    ben: Person
    buyer: Person
    talk: Talk

    async def long(self, *, breach_s: int = BREACH_S, **changed: Any) -> HandoffDue:
        """Let the monitor say that the buyer has waited for long."""
        now = await talk_now(self.anne, self.talk)
        since = datetime.fromisoformat(now["waiting_since"])
        fields: dict[str, Any] = {
            "id": self.platform.service.ids.new(),
            "time": self.clock.now(),
            "shop_id": ShopId(self.shop.id),
            "conversation_id": ConversationId(self.talk["id"]),
            "agent_id": PersonId(self.anne.id),
            "seat_version": now["assignment_version"],
            "waiting_since": since,
            "breach_at": since + timedelta(seconds=breach_s),
        }
        due = HandoffDue(**(fields | changed))
        await complete(self.platform, self.clock)
        await self.platform.service.offering.begin(due)
        return due

    async def look(self) -> None:
        """Look at the shop as each second does."""
        await complete(self.platform, self.clock)
        await self.platform.service.offering.look_at(ShopId(self.shop.id))

    async def passes(self, seconds: float) -> None:
        """Let time pass, and look."""
        self.clock.advance(seconds)
        await self.look()

    async def asked(self, who: Person | None = None) -> list[dict[str, Any]]:
        """Return what somebody is asked at this moment."""
        found: list[dict[str, Any]] = ok(await (who or self.ben).get("/v1/inbox"))["offers"]
        return found

    async def offered(self) -> dict[str, Any]:
        """Return ben's one offer, once the monitor has said that the buyer has waited for long."""
        await self.long()
        (offer,) = await self.asked()
        return offer

    async def says(self, who: Person, offer: Talk, what: str) -> Any:
        """Accept or decline."""
        path = f"/v1/conversations/{self.talk['id']}/offers/{offer['id']}/{what}"
        return await who.post(path)

    async def ended(self) -> list[str]:
        """Return how the log says that offers ended."""
        found = await told(self.platform, self.shop.boss, self.talk, HandoffEnded)
        return [one.outcome for one in found]

    async def now(self) -> dict[str, Any]:
        """Return where the conversation stands."""
        return await talk_now(self.shop.boss, self.talk)

    async def another(self, **wish: Any) -> Person:
        """Hire one more."""
        return await self.shop.staff(**wish)


async def waiting(
    platform: Platform, clock: ManualClock, *, for_s: float = OFFER_S, **ben: Any
) -> Scene:
    """Return a buyer who has waited for anne as long as his shop lets him, or `for_s`."""
    await platform.sign_in_admin()
    shop = await platform.shop()
    anne, buyer = await shop.staff(capacity=20), await shop.buyer()
    talk = await open_talk(buyer)
    assert talk["agent_id"] == anne.id
    await buyer_says(platform, talk, "在吗")
    colleague = await shop.staff(**ben)
    clock.advance(for_s)
    return Scene(platform, clock, shop, anne, colleague, buyer, talk)
