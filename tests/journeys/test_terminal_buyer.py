"""A buyer in a terminal talks with an agent: what a newcomer does beside the console."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.platform import Platform
from tests.waiting import PATIENCE_S
from tests.world import World

pytestmark = pytest.mark.journey


async def test_what_is_typed_reaches_the_agent_and_what_he_answers_is_shown(
    platform: Platform, world: World
) -> None:
    shop = await world.shop()
    agent = await world.agent(shop)
    async with _terminal(platform.url, shop.id) as buyer:
        await _says(buyer, "You are 小林")
        _type(buyer, "在吗，这件有货吗")
        given = await agent.event(lambda frame: frame.type == "conversation.assigned.v1")
        talk = str(given.d["conversation_id"])
        await agent.client.subscribe(f"conv:{talk}")
        await agent.sees("在吗，这件有货吗")
        await agent.say(talk, "有货的亲")
        await _says(buyer, "shop> 有货的亲")

        assert buyer.stdin is not None
        buyer.stdin.close()
        assert await asyncio.wait_for(buyer.wait(), PATIENCE_S) == 0


async def test_a_shop_that_does_not_exist_is_said_in_a_sentence(platform: Platform) -> None:
    async with _terminal(platform.url, "no-such-shop") as buyer:
        await _says(buyer, "The platform refused")
        assert await asyncio.wait_for(buyer.wait(), PATIENCE_S) == 1


@asynccontextmanager
async def _terminal(url: str, shop: str) -> AsyncIterator[asyncio.subprocess.Process]:
    words = [sys.executable, "-m", "rehearsal.buyer", "--url", url, "--shop", shop]
    wide = os.environ | {"COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    made = await asyncio.create_subprocess_exec(
        *words, stdin=PIPE, stdout=PIPE, stderr=STDOUT, env=wide
    )
    try:
        yield made
    finally:
        if made.returncode is None:
            made.kill()
            await made.wait()


def _type(process: asyncio.subprocess.Process, line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())


async def _says(process: asyncio.subprocess.Process, words: str) -> None:
    """Wait for a line with these words."""
    assert process.stdout is not None
    seen = []
    async with asyncio.timeout(PATIENCE_S):
        while line := await process.stdout.readline():
            seen.append(line.decode())
            if words in seen[-1]:
                return
    raise AssertionError(f"{words!r} is not among {seen}")
