"""When contacts are acted on: as soon as their messages are stored, and again while any is left."""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from contracts.people import ShopId
from kit.errors import Unavailable
from services.conversation.archive.contacts import Contacts

log = structlog.get_logger()

LOOK_S: Final = 5.0
"""How often it is looked for contacts that a process left behind, or could not act on."""

PROBE_S: Final = 1.0
"""How often it is asked through which moment the archive is complete (H48)."""

WORKERS: Final = 4
"""Shops whose contacts are acted on at the same time: a shop that is slow holds up no other."""


class ContactWorker:
    """A role: acts on the contacts of shops that it is told of.

    Remembers shop ids alone, each once; what it forgets (a crash, a database that was away) `look`
    finds again.
    """

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts
        self._due: asyncio.Queue[ShopId | None] = asyncio.Queue()
        self._queued: set[ShopId] = set()
        self._stopping = False

    def wake(self, shops: Iterable[ShopId]) -> None:
        """Have these shops' contacts acted on."""
        for shop_id in shops:
            if shop_id not in self._queued:
                self._queued.add(shop_id)
                self._due.put_nowait(shop_id)

    async def look(self) -> None:
        """Look for contacts that are left."""
        self.wake(await self._contacts.shops())

    async def start(self) -> None:
        """Nothing to get ready."""

    async def run(self) -> None:
        """Act until `stop`."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(WORKERS):
                workers.create_task(self._work())

    async def stop(self) -> None:
        """Let the batches under way end; the rest is left for the next process."""
        self._stopping = True
        for _ in range(WORKERS):
            self._due.put_nowait(None)

    async def _work(self) -> None:
        while not self._stopping and (shop_id := await self._due.get()) is not None:
            # Before its contacts are read: one that comes meanwhile queues the shop anew.
            self._queued.discard(shop_id)
            try:
                while not self._stopping and await self._contacts.settle(shop_id):
                    pass
            except Unavailable as away:
                log.warning("contacts.wait", shop_id=shop_id, reason=away.slug)
