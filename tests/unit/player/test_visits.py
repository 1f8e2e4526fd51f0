"""A buyer's way in and out: what he opened he closes, and no socket of his stays."""

import asyncio
import random
from typing import Any

import pytest
from typing_extensions import override

from player.people import OnFrame, Somebody
from player.programme import NEWCOMERS_TOPIC
from player.scenes import Scene
from player.shop import DemoShop
from player.visits import Company, Visit
from rehearsal.api import Api, Session
from rehearsal.dialogues import Dialogue, Side, Turn

pytestmark = pytest.mark.unit

TALK = "conversation-1"
CLOSE = f"/v1/conversations/{TALK}/close"


class Guest(Somebody):
    """A buyer without a socket, who keeps what he asked for."""

    def __init__(self) -> None:
        self.session = Session("buyer", "token", "refresh")
        self.asked: list[str] = []
        self.has_left = False
        self.cut_off = False
        self.hangs = asyncio.Event()
        self.hangs.set()

    @override
    async def sit_down(self, *streams: str) -> None:
        await self.hangs.wait()
        if self.cut_off:
            raise TimeoutError

    @override
    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        self.asked.append(path)
        return {"id": TALK, "assignment_version": 1, "agent_id": None}

    @override
    async def leave(self) -> None:
        self.has_left = True


class Door(DemoShop):
    """A shop that lets one guest in."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    @override
    async def buyer(self, number: int, heard: OnFrame) -> Somebody:
        return self.guest


class Platform(Api):
    """A platform that ends sessions, or hangs where it should."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.hangs = hangs

    @override
    async def end(self, session: Session) -> None:
        if self.hangs:
            await asyncio.Event().wait()


def a_visit() -> Visit:
    dialogue = Dialogue("presale-stock", (Turn(Side.BUYER, "在吗"),))
    return Visit(3, NEWCOMERS_TOPIC, Scene(dialogue, random.Random(1)), company=Company())


async def test_who_is_let_go_while_he_comes_in_closes_what_he_opens() -> None:
    guest = Guest()
    visit = a_visit()
    guest.hangs.clear()
    entering = asyncio.create_task(visit.enter(Door(guest)))
    await asyncio.sleep(0)

    visit.scene.over = True
    while_he_comes_in = visit.is_over
    guest.hangs.set()
    await entering
    assert (while_he_comes_in, visit.is_over) == (False, True)
    await visit.leave(Platform(), random.Random(1))

    assert CLOSE in guest.asked
    assert guest.has_left


async def test_who_cannot_follow_his_conversation_closes_it() -> None:
    guest = Guest()
    guest.cut_off = True
    visit = a_visit()

    await visit.enter(Door(guest))
    assert visit.is_over
    await visit.leave(Platform(), random.Random(1))

    assert CLOSE in guest.asked
    assert guest.has_left


async def test_who_is_hurried_out_leaves_no_socket() -> None:
    guest = Guest()
    visit = a_visit()
    await visit.enter(Door(guest))

    leaving = asyncio.create_task(visit.leave(Platform(hangs=True), random.Random(1)))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    assert guest.has_left
