"""The command `python -m player`: plays in the demo shop of this machine until SIGTERM.

What stops a show begins another, for ever: the platform may be away for a while.
"""

import asyncio
import logging
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import stamina.instrumentation
from pydantic import ValidationError

from player.settings import Settings
from player.shop import DemoShop, NotTheDemo
from player.show import ALONE_S, AWAY, FAREWELL_S, RENEW_S, CurtainFell, Show
from player.visits import TROUBLE
from rehearsal import dialogues
from rehearsal.api import Api

log = logging.getLogger("player")

PAUSES_S: Final = (2.0, 60.0)
"""Before the next show where one broke off: doubled each time, short again after a whole one."""

LOOK_S: Final = 15.0
"""How often a player that rests looks whether somebody came."""


async def play(settings: Settings, rng: random.Random) -> None:
    """Play for ever. Raises `NotTheDemo`."""
    played = dialogues.load().dialogues
    pause = PAUSES_S[0]
    async with Api(settings.url) as api:
        while True:
            try:
                async with _opened(DemoShop(api, settings, rng=rng)) as shop:
                    log.info("plays in the demo shop: its buyers and agents 3 to 8 are simulated")
                    await Show(api, shop, played, rng=rng).run()
                    log.info("rests: nobody was at the desk for %.0f hours", ALONE_S / 3600)
                    await _somebody(shop)
                pause = PAUSES_S[0]
            except (CurtainFell, *TROUBLE) as error:
                log.info(
                    "broke off (%s: %s); next try in %.0f s", type(error).__name__, error, pause
                )
                await asyncio.sleep(pause)
                pause = min(2 * pause, PAUSES_S[1])


@asynccontextmanager
async def _opened(shop: DemoShop) -> AsyncIterator[DemoShop]:
    """Have the shop, and leave no session of its administrator behind."""
    try:
        await shop.open()
        yield shop
    finally:
        with suppress(*TROUBLE):
            async with asyncio.timeout(FAREWELL_S):
                await shop.leave()


async def _somebody(shop: DemoShop) -> None:
    """Return when somebody is at the desk."""
    while True:
        for _ in range(int(RENEW_S / LOOK_S)):
            if any(state != AWAY for state in (await shop.states()).values()):
                return
            await asyncio.sleep(LOOK_S)
        await shop.renew()


async def _until_told(settings: Settings) -> None:
    playing = asyncio.create_task(play(settings, random.SystemRandom()))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
    with suppress(asyncio.CancelledError):
        await playing


def main() -> None:
    """Play until SIGTERM; refuse where simulated people have no place."""
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    stamina.instrumentation.set_on_retry_hooks(())
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit("; ".join(str(one["msg"]) for one in error.errors(include_input=False)))
    try:
        asyncio.run(_until_told(settings))
    except NotTheDemo as error:
        sys.exit(f"nothing is played: {error}")


if __name__ == "__main__":
    main()
