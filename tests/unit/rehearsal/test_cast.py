"""The people of a rehearsal keep to what their inboxes say, also where two are not in step."""

import asyncio
import random
from http import HTTPStatus
from typing import Any

import pytest
from typing_extensions import override

from rehearsal.api import Api, ApiRefused, Session
from rehearsal.cast import Agent, Backstage, Seats
from rehearsal.ledger import Ledger
from rehearsal.streams import Frame
from tests.waiting import eventually

pytestmark = pytest.mark.unit

TALK = "1"


class Desk(Api):
    """REST that lets one agent alone close the conversation."""

    def __init__(self, holder: str) -> None:
        super().__init__("http://127.0.0.1:9")
        self.holder = holder
        self.closed_by: list[str | None] = []

    @override
    async def call(self, method: str, path: str, *, token: str | None = None, **_: Any) -> None:
        self.closed_by.append(token)
        if token != self.holder:
            raise ApiRefused(method, path, HTTPStatus.FORBIDDEN, slug="not_owner")


def hired(name: str, seats: Seats, api: Api) -> Agent:
    backstage = Backstage(api, Ledger(), random.Random(1), lambda _, why: pytest.fail(str(why)))
    return Agent(backstage, Session(name, name, ""), name, seats=seats)


async def test_who_hears_late_of_a_seat_that_he_lost_does_not_get_it_back() -> None:
    seats = Seats()
    async with Desk("second") as api:
        first, second = hired("first", seats, api), hired("second", seats, api)
        seats.take(TALK, second, 5)
        seats.take(TALK, first, 3)

        assert await seats.agent_of(TALK) is second


async def test_a_conversation_that_moved_on_is_closed_by_who_holds_it() -> None:
    seats = Seats()
    async with Desk("second") as api:
        first, second = hired("first", seats, api), hired("second", seats, api)
        seats.take(TALK, first, 1)
        closing = asyncio.create_task(seats.close(TALK, api))
        await eventually(lambda: api.closed_by)
        seats.take(TALK, second, 3)

        assert await closing is second
        assert api.closed_by == ["first", "second"]


async def test_what_was_left_is_not_followed_again_for_an_older_snapshot() -> None:
    async with Desk("first") as api:
        agent = hired("first", Seats(), api)
        agent.leave(TALK)
        for talk in (TALK, "2"):
            listed = [{"id": talk, "assignment_version": 1}]
            inbox = Frame(t="snap", s="inbox", d={"conversations": listed, "work": []})
            agent.client.received(inbox)
        await asyncio.sleep(0)

        assert agent.client.waits_for("conv:2")
        assert not agent.client.waits_for(f"conv:{TALK}")
        await agent.client.close()
