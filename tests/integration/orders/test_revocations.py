"""A token that was withdrawn is worth nothing at a service's own door either (H41)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.conversation import PersonListed, SessionEnded
from contracts.people import PersonId, Role, ShopId
from contracts.topics import DIRECTORY
from kit.bus.ports import Message
from tests.trade import Person, Trade
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

DOORS = ("/v1/orders", "/v1/cases")


def listed(person: Person, version: int, **changes: Any) -> PersonListed:
    """Return the directory's entry of a person who signed in long ago."""
    facts: dict[str, Any] = {
        "id": person.trade.ids.new(),
        "time": datetime.now(UTC),
        "shop_id": ShopId(person.shop_id),
        "subject": PersonId(person.id),
        "name": "小陈",
        "role": person.role,
        "active": True,
        "not_before": datetime(2026, 1, 1, tzinfo=UTC),
        "version": version,
    }
    return PersonListed(**(facts | changes))


def ended(person: Person) -> SessionEnded:
    """Return the directory's entry of the person's session, which he ended."""
    now = datetime.now(UTC)
    return SessionEnded(
        id=person.trade.ids.new(),
        time=now,
        shop_id=ShopId(person.shop_id),
        sid=person.sid,
        subject=PersonId(person.id),
        ended_at=now,
    )


async def _answers(person: Person, path: str, status: int) -> bool:
    return (await person.get(path)).status_code == status


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"role": Role.CLERK},
        {"shop_id": ShopId("another")},
        {"not_before": datetime.now(UTC) + timedelta(hours=1)},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_who_was_sent_away_is_refused_and_a_newer_entry_lets_him_in(
    trade: Trade, path: str, change: dict[str, Any]
) -> None:
    person, colleague = (trade.shop().person(Role.AGENT) for _ in range(2))
    assert (await person.get(path)).status_code == 200

    await trade.tell(listed(person, 2, **change))
    await eventually(lambda: _answers(person, path, 401), what="the refusal")
    await trade.tell(listed(person, 1))
    refused = await person.get(path)

    assert refused.json()["code"] == "bad_token"
    assert (await colleague.get(path)).status_code == 200
    await trade.tell(listed(person, 3))
    await eventually(lambda: _answers(person, path, 200), what="the way back in")


@pytest.mark.parametrize("path", DOORS)
async def test_an_ended_session_is_refused_and_another_of_the_same_person_is_not(
    trade: Trade, path: str
) -> None:
    here = trade.shop().person(Role.AGENT)
    elsewhere = replace(here, sid=trade.ids.new())

    await trade.tell(ended(here))
    await eventually(lambda: _answers(here, path, 401), what="the refusal")

    assert (await elsewhere.get(path)).status_code == 200


async def test_an_entry_that_cannot_be_read_or_was_removed_harms_nobody(trade: Trade) -> None:
    person = trade.shop().person(Role.AGENT)
    producer = trade.bus.producer()
    await producer.start()
    headers = (("ce_type", b"directory.person.v1"),)
    for value in (b"{", b"", None):
        await producer.send(Message(DIRECTORY.name, person.id.encode(), value, headers))
    await producer.stop()
    await trade.tell(listed(person, 1, active=False))
    await eventually(lambda: _answers(person, "/v1/orders", 401), what="the refusal")

    await trade.tell(listed(person, 2))

    await eventually(lambda: _answers(person, "/v1/orders", 200), what="the way back in")
