"""Decisions of routing are kept for as long as the setting says, and go in small batches."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from contracts.people import ShopId
from kit.clock import ManualClock
from kit.ids import uuid7
from services.conversation.routing import repository, retention
from services.conversation.routing.assignment import Decision, Reason
from services.conversation.routing.repository import Kept
from tests.integration.conversation.desk import Platform, Shop, ok

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_decisions_that_are_older_than_is_kept_go_batch_by_batch_and_others_stay(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "FORGOTTEN_AT_ONCE", 2)
    shop = await platform.shop()
    opened = ok(await (await shop.buyer()).post("/v1/conversations"), 201)
    service = platform.service
    kept = timedelta(days=service.settings.decisions_kept_days)
    border = service.clock.now() - kept
    for hours in range(1, 6):
        await _decided(shop, opened["id"], border - timedelta(hours=hours))
    await _decided(shop, opened["id"], border + timedelta(hours=1))

    forget = retention.DecisionRetention(service.db, service.clock, kept).forget
    assert [await forget() for _ in range(4)] == [2, 2, 1, 0]

    async with platform.service.db.read(shop.id) as session:
        left = list(await session.scalars(text("select trigger from decisions order by id")))
    assert left == ["planted", "opened"]


async def _decided(shop: Shop, subject: str, at: datetime) -> None:
    """Keep a decision for nobody, as it was taken at a moment."""
    clock = ManualClock(at)
    async with shop.platform.service.db.write(shop.id) as session:
        made = [(uuid7(clock), Decision(subject, None, Reason.NOBODY_ONLINE, ()))]
        await repository.record(session, Kept(ShopId(shop.id), "planted"), made, at=at)
