"""Releases under load: a rule profile more, two releases beside each other, a death between steps.

Each asks the service's own recount afterwards, or the people whom it concerned. Must not know how
figures are counted.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import asyncpg

from launcher.postgres import addresses
from profiles import SHIPPED
from tests.faults.network import Network
from tests.faults.stage import Outage, Stage
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import Person

COPIED: Final = "taobao_3min"
ADDED: Final = "own_night"
"""The new profile says what `COPIED` says, so nobody needs to work out its figures."""

BESIDE_S: Final = 10.0
"""How long two releases fold beside each other."""

READY_S: Final = 60.0
"""A book that was away takes its partitions back after 15 s without a sign of the newer one."""

RETURNING: Final = 20
"""Buyers who write into a conversation that was closed."""

STORED_S: Final = 30.0
SERVED_S: Final = 60.0
"""The dead archive keeps its partitions for ten seconds; contacts are looked for every five."""

ACTING_S: Final = 0.01
"""Between the end of the wait for the shop's turn and the second death: some have been acted on."""


# -- a rule profile more ------------------------------------------------------------------------


@asynccontextmanager
async def a_profile_more(platform: Platform, _network: Network) -> AsyncIterator[None]:
    """Compare what is stored with the log under the longer book, then under the shipped one."""
    yield
    await _recounted(platform, PROFILES_FOLDER=str(_longer_book(platform)))
    await asyncio.to_thread(platform.drain, "monitor")
    await asyncio.to_thread(platform.start, "monitor")
    await _recounted(platform)


async def profile_added(stage: Stage) -> Outage:
    """Deploy a monitor that knows one profile more."""
    broken_at = time.monotonic()
    await asyncio.to_thread(stage.platform.drain, "monitor")
    folder = _longer_book(stage.platform)
    await asyncio.to_thread(partial(stage.platform.start, "monitor", PROFILES_FOLDER=str(folder)))
    return Outage(broken_at, time.monotonic())


@asynccontextmanager
async def two_books(platform: Platform, _network: Network) -> AsyncIterator[None]:
    """Whatever came of both: the older one is alone at the end and agrees with the log."""
    try:
        yield
    finally:
        await asyncio.to_thread(platform.drain, "monitor-2")
    await eventually(lambda: platform.is_ready("monitor"), within=READY_S, what="the older is back")
    await _recounted(platform)


async def newer_beside(stage: Stage) -> Outage:
    """Start a monitor of a longer book beside the one that runs, which then stands aside."""
    platform, folder = stage.platform, _longer_book(stage.platform)
    broken_at = time.monotonic()
    await asyncio.to_thread(partial(platform.start_second, "monitor", PROFILES_FOLDER=str(folder)))
    await eventually(
        lambda: not platform.is_ready("monitor"), within=READY_S, what="the older stands aside"
    )
    await asyncio.sleep(BESIDE_S)
    return Outage(broken_at, time.monotonic())


def _longer_book(platform: Platform) -> Path:
    """Return a folder with the shipped profiles and one more, the same at every call."""
    folder = platform.known.folder / "profiles"
    folder.mkdir(exist_ok=True)
    for shipped in SHIPPED.glob("*.toml"):
        shutil.copy(shipped, folder)
    copied = (SHIPPED / f"{COPIED}.toml").read_text(encoding="utf-8")
    assert f'name = "{COPIED}"' in copied
    added = copied.replace(f'name = "{COPIED}"', f'name = "{ADDED}"')
    (folder / f"{ADDED}.toml").write_text(added, encoding="utf-8")
    return folder


async def _recounted(platform: Platform, **settings: str) -> None:
    code, said = await asyncio.to_thread(partial(platform.task, "monitor", "recompute", **settings))
    assert code == 0, said


# -- a death between storing and acting ---------------------------------------------------------


async def killed_between(stage: Stage) -> Outage:
    """Kill the archive between storing what buyers wrote and acting on it, and while it acts (H30).

    The shop's turn is held, so that both transactions of a message are apart for as long as wanted.
    Every buyer is waited for again afterwards, and said once what he said.
    """
    platform, world = stage.platform, stage.world
    shop = await world.shop()
    connection = await asyncpg.connect(addresses.administrator(platform.known))
    broken_at = time.monotonic()
    try:
        for pause_s in (0.0, ACTING_S):
            buyers = [await world.buyer(shop) for _ in range(RETURNING)]
            talks = [await _closed(buyer) for buyer in buyers]
            await _take_turn(connection, shop.id)
            try:
                said = await asyncio.gather(
                    *(buyer.say(talk, "还在吗") for buyer, talk in zip(buyers, talks, strict=True))
                )
                assert all(answer.code is None for answer in said), said
                await eventually(
                    partial(_contacts, connection, shop.id, RETURNING), within=STORED_S
                )
                if not pause_s:
                    await stage.kill("conversation")
            finally:
                await _give_turn(connection, shop.id)
            if pause_s:
                await asyncio.sleep(pause_s)
                await stage.kill("conversation")
            await stage.start("conversation")
            await eventually(partial(_contacts, connection, shop.id, 0), within=SERVED_S)
            for buyer, talk in zip(buyers, talks, strict=True):
                await eventually(partial(_is_served_again, buyer, talk), within=SERVED_S)
    finally:
        await connection.close()
    return Outage(broken_at, time.monotonic())


async def _closed(buyer: Person) -> str:
    opened = await buyer.call("POST", "/v1/conversations", {})
    talk = str(opened["id"])
    await buyer.client.subscribe(f"conv:{talk}")
    await buyer.call("POST", f"/v1/conversations/{talk}/close", {"reason": "settled"})
    return talk


async def _is_served_again(buyer: Person, talk: str) -> bool:
    """Whether he waits again, and the history says so once, and once what he said."""
    found: Any = await buyer.call("GET", f"/v1/conversations/{talk}")
    path, token = f"/v1/conversations/{talk}/messages", buyer.session.token
    kinds = [item["type"] async for item in buyer.api.pages(path, token=token)]
    once = [kinds.count("chat.message.v1"), kinds.count("conversation.reopened.v1")]
    assert max(once) <= 1, kinds
    return found["state"] == "queued" and min(once) == 1


async def _take_turn(connection: "asyncpg.Connection[Any]", shop: str) -> None:
    await connection.execute(
        "select pg_advisory_lock(hashtextextended('routing ' || $1::text, 0))", shop
    )


async def _give_turn(connection: "asyncpg.Connection[Any]", shop: str) -> None:
    await connection.execute(
        "select pg_advisory_unlock(hashtextextended('routing ' || $1::text, 0))", shop
    )


async def _contacts(connection: "asyncpg.Connection[Any]", shop: str, wanted: int) -> bool:
    """Whether so many contacts of the shop are left to be acted on."""
    left = await connection.fetchval(
        "select count(*) from conversation.contacts where shop_id::text = $1", shop
    )
    return bool(left == wanted)
