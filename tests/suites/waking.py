"""What a bus must do when somebody ends a wait, whichever bus it is."""

import asyncio

from kit.bus.ports import Bus, Message
from tests.suites.bus import MakeTopic
from tests.suites.reading import take
from tests.waiting import PATIENCE_S


class WakeSuite:
    """Subclassed once per bus, with fixtures `bus` and `make_topic`."""

    async def test_a_wait_for_records_ends_when_it_is_woken_and_loses_none(
        self, bus: Bus, make_topic: MakeTopic
    ) -> None:
        topic, producer = await make_topic(1), bus.producer()
        await producer.start()
        reader = bus.reader([topic])
        await reader.start()
        try:
            reader.wake()  # nobody waits, and no later wait is shorter for it
            waiting = asyncio.create_task(reader.getmany(3_600_000))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            reader.wake()
            reader.wake()
            assert await asyncio.wait_for(waiting, PATIENCE_S) == {}

            await producer.send(Message(topic, b"k", b"v"))
            assert [r.value for r in await take(reader, 1)] == [b"v"]
        finally:
            await reader.stop()
            await producer.stop()
