"""A reader of whole topics that survives the broker: polls, notices silence, is built anew.

Knows offsets and time; what a record means is the business of the channel that owns it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from kit.bus.ports import Bus, BusAway, Consumer, Record, TopicPartition
from kit.bus.watchdog import Advice, Hung, Patience, Watchdog
from kit.clock import Clock

POLL_MS: Final = 100
"""Wait of an idle poll; records that come end it at once."""

BATCH: Final = 2_000
"""Records of one poll at most; at 5 µs each the event loop is held for 10 ms."""

BACKOFF_S: Final = 0.5

log: Final = structlog.get_logger("gateway.reading")

Places = Mapping[TopicPartition, int]


class NotCaughtUp(Exception):
    """The reader has not reached the end that it saw at its start, or makes no progress."""


class Reading:
    """Reads `topics` on from given places and hands over each poll's records.

    `handle` must not raise for a record's content. Progress is remembered here, so that a reader
    that is built anew goes on where the old one was.
    """

    def __init__(
        self,
        bus: Bus,
        topics: Sequence[str],
        *,
        handle: Callable[[Sequence[Record]], None],
        clock: Clock,
        patience: Patience | None = None,
    ) -> None:
        self._bus = bus
        self._topics = tuple(topics)
        self._handle = handle
        self._clock = clock
        self._watchdog = Watchdog(clock, patience or Patience())
        self._consumer: Consumer | None = None
        self._next: dict[TopicPartition, int] = {}
        self._goal: dict[TopicPartition, int] = {}
        self._over = False

    @property
    def consumer(self) -> Consumer:
        """The running consumer. Raises `BusAway` before `open`."""
        if self._consumer is None:
            raise BusAway("The reader is not started.")
        return self._consumer

    @property
    def caught_up(self) -> bool:
        """Tell whether everything that stood in the topics at the start was handled."""
        return bool(self._next) and all(
            self._next[tp] >= offset for tp, offset in self._goal.items()
        )

    async def open(self) -> None:
        """Connect; the places are set by `begin`."""
        consumer = self._bus.reader(self._topics)
        await consumer.start()
        self._consumer = consumer

    async def begin(self, places: Places) -> None:
        """Read on from these offsets and note the ends: reaching them is being caught up."""
        self._next = dict(places)
        self._goal = await self.consumer.end_offsets(list(places))
        self._seek()

    async def ping(self) -> None:
        """Return if the reader is caught up and well. Raises `NotCaughtUp`."""
        if not self.caught_up:
            raise NotCaughtUp("still reading what stood there at the start")
        if self._watchdog.advice(broker_answers=False) is not Advice.WELL:
            raise NotCaughtUp(f"no progress for {self._watchdog.silent_s:.0f} s")

    async def run(self) -> None:
        """Poll until `stop`. Raises `Hung` when even a new reader makes no progress."""
        while not self._over:
            try:
                fetched = await self.consumer.getmany(POLL_MS, BATCH)
            except BusAway as away:
                log.warning("reading.away", topics=self._topics, reason=str(away))
                await self._clock.sleep(BACKOFF_S)
                await self._look_after()
                continue
            for tp, records in fetched.items():
                self._handle(records)
                self._next[tp] = records[-1].offset + 1
            if fetched or not any(self.consumer.lag().values()):
                self._watchdog.progress()
            else:
                await self._look_after()

    async def stop(self) -> None:
        """Let `run` return and disconnect."""
        self._over = True
        if self._consumer is not None:
            await self._consumer.stop()

    def _seek(self) -> None:
        for tp, offset in self._next.items():
            self.consumer.seek(tp, offset)

    async def _look_after(self) -> None:
        """Act on silence: aiokafka can hang for good after a broker restart."""
        if self._over:
            return
        advice = self._watchdog.advice(broker_answers=await self._broker_answers())
        if advice is Advice.EXIT:
            raise Hung(
                f"{', '.join(self._topics)}: no progress for {self._watchdog.silent_s:.0f} s"
            )
        if advice is Advice.RESTART:
            log.warning("reading.restarted", topics=self._topics)
            self._watchdog.restarted()
            await self.consumer.stop()
            try:
                await self.open()
                self._seek()
            except BusAway as away:
                log.warning("reading.away", topics=self._topics, reason=str(away))

    async def _broker_answers(self) -> bool:
        try:
            await self._bus.ping()
        except (BusAway, TimeoutError):
            return False
        return True
