"""Who acts on contacts stops between two batches, however many are left."""

import asyncio
from typing import cast

import pytest

from contracts.people import ShopId
from services.conversation.archive.contacts import Contacts
from services.conversation.archive.deadlines import WORKERS, ContactWorker
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.unit


class Backlog:
    """Contacts of shops that never run out."""

    def __init__(self) -> None:
        self.batches = 0
        self.busy: set[ShopId] = set()
        self.all_busy = asyncio.Event()

    async def settle(self, shop_id: ShopId) -> int:
        self.batches += 1
        self.busy.add(shop_id)
        if len(self.busy) == WORKERS:
            self.all_busy.set()
        await asyncio.sleep(0)
        return 100


async def test_a_backlog_does_not_keep_it_from_stopping() -> None:
    backlog = Backlog()
    worker = ContactWorker(cast("Contacts", backlog))
    worker.wake([ShopId(f"shop-{n}") for n in range(WORKERS * 3)])
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(PATIENCE_S):
        await backlog.all_busy.wait()
    before = backlog.batches

    await worker.stop()

    _, late = await asyncio.wait([running], timeout=PATIENCE_S)
    for task in late:
        task.cancel()
    assert not late
    assert backlog.batches - before <= WORKERS
    assert len(backlog.busy) == WORKERS
