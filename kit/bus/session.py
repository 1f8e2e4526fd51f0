"""What every loop does: live through one consumer after the other, under a watchdog.

Knows no event and no group; `kit.bus.loops` has the loops that services use.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Final

import structlog

from kit.bus.backoff import Backoff
from kit.bus.ports import Bus, Consumer, Record
from kit.bus.settling import RetryPolicy
from kit.bus.watchdog import Advice, Hung, Patience, Watchdog
from kit.clock import Clock
from kit.errors import Fenced, Retry, Unavailable
from kit.metrics import Metrics

log = structlog.get_logger()

POLL_MS: Final = 100
"""A poll while something falls due without a record: a commit, or the end of a partition's rest."""

IDLE_MS: Final = 2000
"""A poll with nothing else to do. Records end it at once, and so does `stop`; each that brings
nothing costs 0.2 ms, and a platform has seventeen loops."""

REJOIN_PAUSE_S: Final = 1.0
STOP_TIMEOUT_S: Final = 10.0
MEASURE_S: Final = 1.0


class Restart(Exception):
    """The consumer must be built anew."""


class Loop(ABC):
    """What all loops share: sessions of a consumer, one after the other, under a watchdog."""

    def __init__(
        self,
        bus: Bus,
        *,
        topics: Sequence[str],
        name: str,
        retry: RetryPolicy,
        clock: Clock,
        metrics: Metrics,
        patience: Patience,
    ) -> None:
        self._bus = bus
        self._topics = tuple(topics)
        self._name = name
        self._retry = retry
        self._clock = clock
        self._metrics = metrics
        self._watchdog = Watchdog(clock, patience)
        retry.on_progress = self._watchdog.progress
        self._patience = patience
        self._consumer: Consumer | None = None
        self._joined = False
        self._backoff = Backoff(name, clock=clock, metrics=metrics)
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._measured_at = 0.0

    @property
    def healthy(self) -> bool:
        """Tell whether records are handled, or there are none to handle."""
        silent = self._watchdog.silent_s > self._patience.red_s
        return self._joined and self.rests_because is None and not silent

    @property
    def rests_because(self) -> str | None:
        """Why the group rests (H29); None while it does not."""
        return self._retry.rests.reason

    async def ping(self) -> None:
        """Return if healthy; for readiness. Raises `Unavailable`."""
        if not self.healthy:
            why = self.rests_because or f"no progress for {self._watchdog.silent_s:.0f} s"
            raise Unavailable(f"{self._name}: {why}")

    def lag(self) -> int:
        """Return the records of all partitions here that are not yet handed out."""
        return 0 if self._consumer is None else sum(self._consumer.lag().values())

    async def start(self) -> None:
        """Nothing to do: `run` joins, and goes on trying while the broker is away."""

    async def run(self) -> None:
        """Consume until `stop`. Raises `Hung` when only a new process can help."""
        try:
            while not self._stopping.is_set():
                await self._run_session()
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """Let the records in hand be settled and committed, then leave."""
        self._stopping.set()
        if self._consumer is not None:
            self._consumer.wake()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._ended.wait()
        except TimeoutError:
            log.warning("bus.loop.slow_stop", name=self._name)

    async def _run_session(self) -> None:
        try:
            await self._session()
        except Restart:
            log.warning("bus.loop.restart", name=self._name, silent_s=self._watchdog.silent_s)
        except (Fenced, Retry, Unavailable) as error:
            log.warning("bus.loop.rejoin", name=self._name, reason=str(error))
            await self._rest(REJOIN_PAUSE_S)

    async def _session(self) -> None:
        """Live through one consumer, from joining to leaving."""
        self._backoff.clear()
        consumer = self._make_consumer()
        tasks: list[asyncio.Task[None]] = []
        try:
            await consumer.start()
            await self._begin(consumer)
            self._consumer, self._joined = consumer, True
            self._watchdog.restarted()
            tasks += [
                asyncio.create_task(self._work(consumer)),
                asyncio.create_task(self._watch(consumer)),
            ]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._consumer = None
            await consumer.stop()
            await self._left(consumer)

    async def _watch(self, consumer: Consumer) -> None:
        """Raise `Restart` or `Hung` when the consumer stands still though there is work."""
        while True:
            await self._clock.sleep(self._patience.check_s)
            answers = True
            if self._resting():
                self._watchdog.excused()
            elif self._watchdog.silent_s >= self._patience.check_s:
                answers = await self._look(consumer)
            if not answers:
                # A new consumer would find no broker either, and lose its place in the group.
                self._watchdog.excused()
            match self._watchdog.advice(broker_answers=answers):
                case Advice.EXIT:
                    raise Hung(f"{self._name} stands still for {self._watchdog.silent_s:.0f} s")
                case Advice.RESTART:
                    raise Restart
                case Advice.RED | Advice.WELL:
                    pass

    def _poll_ms(self) -> int:
        """Return how long a poll may wait."""
        return POLL_MS if self._due() else IDLE_MS

    def _due(self) -> bool:
        """Tell whether something falls due that no record brings about."""
        return self.rests_because is not None or not self._backoff.is_empty

    def _resting(self) -> bool:
        """Tell whether all or a partition rests, or did a moment ago: then others are to blame."""
        lately = self._clock.monotonic() - 2 * self._patience.check_s
        return self.rests_because is not None or self._backoff.rested_since(lately)

    async def _look(self, consumer: Consumer) -> bool:
        """Note progress if nothing is left to read; tell whether the broker answered."""
        # What it said by itself it is not asked, if so lately that the next look comes in time.
        told_s = consumer.read_out_s()
        if told_s is not None and told_s + self._patience.check_s < self._patience.red_s:
            self._watchdog.progress(told_s)
            return True
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            for tp, end in ends.items():
                if await consumer.position(tp) < end:
                    return True
            self._watchdog.progress()
        except Unavailable:
            return await self._broker_answers()
        return True

    async def _broker_answers(self) -> bool:
        """Ask on a connection of the bus, for the consumer's own may be what hangs."""
        try:
            await self._bus.ping()
        except Unavailable:
            return False
        return True

    def _settled(self, records: Iterable[Record]) -> None:
        """Note progress; partitions that were at rest are well again."""
        self._watchdog.progress()
        self._backoff.settled(records)

    def _measure(self, consumer: Consumer) -> None:
        now = self._clock.monotonic()
        if now - self._measured_at >= MEASURE_S:
            self._measured_at = now
            lags = consumer.lag()
            for topic in self._topics:
                lag = sum(behind for tp, behind in lags.items() if tp.topic == topic)
                self._metrics.consumer_lag.labels(self._name, topic).set(lag)

    async def _rest(self, seconds: float) -> None:
        resting = asyncio.create_task(self._clock.sleep(seconds))
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([resting, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in (resting, stopping):
            task.cancel()
        await asyncio.gather(resting, stopping, return_exceptions=True)

    @abstractmethod
    def _make_consumer(self) -> Consumer:
        """Return a new consumer of this loop's kind, not started."""

    async def _begin(self, consumer: Consumer) -> None:
        """Prepare a started consumer."""

    @abstractmethod
    async def _work(self, consumer: Consumer) -> None:
        """Read and hand over until the loop stops or restarts."""

    async def _left(self, consumer: Consumer) -> None:
        """Tell whoever must know that the session is over."""
