"""Who looks at what is not his leaves a trace: one an hour (F10)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kit.audit import Audit
from kit.clock import ManualClock
from kit.web.auth import Principal
from services.conversation.tables import AUDIT
from services.conversation.watches.service import WATCHED, Watches
from tests.integration.conversation.desk import Person, Platform, Shop, ok
from tests.integration.conversation.talking import begin
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def looks(platform: Platform, who: Person, talk: str, role: str) -> None:
    """Let a gateway seat somebody."""
    asked = {"subject": who.id, "role": role, "shop": who.shop_id}
    ok(await platform.internal(f"/internal/conversations/{talk}/attach", **asked))


def principal(who: Person) -> Principal:
    """Return a leader as his token says."""
    return Principal(
        subject=who.id,
        role="supervisor",
        shop_id=who.shop_id,
        name="",
        issued_at=datetime(1970, 1, 1, tzinfo=UTC),
        expires_at=datetime(2100, 1, 1, tzinfo=UTC),
        jti="",
    )


async def traces(shop: Shop, talk: str) -> list[dict[str, Any]]:
    """Return who is said to have looked."""
    page = ok(await shop.boss.get("/v1/audit/conversation", object=talk, action=WATCHED))
    items: list[dict[str, Any]] = page["items"]
    return items


async def test_who_watches_leaves_one_trace_however_often_he_comes_back(
    platform: Platform,
) -> None:
    shop, agent, buyer, talk = await begin(platform)
    leader, colleague = await shop.staff("supervisor"), await shop.staff()
    for _ in range(3):
        await looks(platform, leader, talk["id"], "supervisor")
    await looks(platform, agent, talk["id"], "agent")
    await looks(platform, buyer, talk["id"], "buyer")
    await looks(platform, colleague, talk["id"], "agent")

    async def told() -> bool:
        return {one["actor_id"] for one in await traces(shop, talk["id"])} >= {
            leader.id,
            colleague.id,
        }

    await eventually(told)
    found = [one["actor_id"] for one in await traces(shop, talk["id"])]
    # Within three looks an hour may begin.
    assert set(found) == {leader.id, colleague.id}
    assert found.count(colleague.id) == 1


async def test_it_is_one_an_hour(platform: Platform) -> None:
    shop, _, _, talk = await begin(platform)
    leader = await shop.staff("supervisor")
    service, clock = platform.service, ManualClock(datetime(2030, 1, 1, 10, tzinfo=UTC))
    whom = principal(leader)
    for minutes in (0, 59, 60, 119):
        at = ManualClock(clock.now() + timedelta(minutes=minutes))
        await Watches(service.db, Audit(AUDIT, at, service.ids)).note(whom, talk["id"])

    hours = [one["at"][:13] for one in await traces(shop, talk["id"])]

    assert hours == ["2030-01-01T11", "2030-01-01T10"]


async def test_who_waits_for_anybody_is_watched_by_nobody(platform: Platform) -> None:
    shop = await platform.shop()
    buyer, leader = await shop.buyer(), await shop.staff("supervisor")
    talk = ok(await buyer.post("/v1/conversations"), 201)
    assert talk["state"] == "queued"
    service = platform.service
    watches = Watches(service.db, Audit(AUDIT, service.clock, service.ids))
    whom = principal(leader)

    await watches.note(whom, talk["id"])

    assert await traces(shop, talk["id"]) == []
