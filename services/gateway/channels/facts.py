"""The smaller topics: directory, signals, boards, alerts, work. Each record to whom it concerns.

The directory is read whole before the gateway is ready (H13); the others from now on. Must not know
how sockets work.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

import contracts
from contracts.aftersales import WorkEscalated, WorkSettled
from contracts.base import Event
from contracts.conversation import WorkAssigned
from contracts.frames import CloseCode
from contracts.gateway import SignalSent
from contracts.monitor import Alert, BoardPublished, WaitingThresholdPassed
from contracts.people import PersonId, WorkId
from contracts.topics import ALERTS, BOARD, DIRECTORY, SIGNALS, WORK
from kit.bus.loops import DirectReader
from kit.bus.ports import Bus, Consumer, Record, TopicPartition
from kit.clock import Clock
from kit.metrics import Metrics
from services.gateway.hub import Directory, Hub, Session
from services.gateway.streams import NewBoard, Streams, news_of

WORK_KNOWN: Final = 50_000
"""Work items whose agent is remembered; the end of one forgotten shows in REST alone."""

WORK_SINCE_S: Final = 24 * 3600

FACTS: Final = (DIRECTORY, SIGNALS, BOARD, ALERTS, WORK)
"""The topics that are read here."""

log: Final = structlog.get_logger("gateway.facts")


class FactsChannel:
    """What these topics' records do here. `reader` has caught up once the directory was read."""

    def __init__(
        self,
        bus: Bus,
        hub: Hub,
        streams: Streams,
        directory: Directory,
        *,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._hub = hub
        self._streams = streams
        self._directory = directory
        self._clock = clock
        self._metrics = metrics
        self._agents: OrderedDict[WorkId, PersonId] = OrderedDict()
        self.reader = DirectReader(
            bus,
            topics=[topic.name for topic in FACTS],
            name="gateway",
            take=self.handle,
            begin=self._begin,
            metrics=metrics,
        )
        self._acts: dict[str, Callable[[Record], None]] = {
            DIRECTORY.name: self._listed,
            SIGNALS.name: self._signalled,
            BOARD.name: self._board,
            ALERTS.name: self._alert,
            WORK.name: self._work,
        }

    def handle(self, records: Sequence[Record]) -> None:
        """Take one poll's records of one topic; what cannot be read is counted and passed over."""
        topic = records[0].topic
        act, skipped = self._acts[topic], 0
        for record in records:
            try:
                act(record)
            except Exception as reason:  # noqa: BLE001 - a restart would meet the record again (H24)
                skipped += 1
                place = f"{topic}/{record.partition}@{record.offset}"
                log.warning("facts.skipped", at=place, kind=type(reason).__name__)
        self._metrics.consumed.labels("gateway", topic, "done").inc(len(records) - skipped)
        self._metrics.consumed.labels("gateway", topic, "skipped").inc(skipped)

    async def _begin(self, consumer: Consumer) -> Mapping[TopicPartition, int]:
        """Read directory and boards from the oldest record, work of a day, the rest from now."""
        logs = consumer.assignment()
        whole = [tp for tp in logs if tp.topic in {DIRECTORY.name, BOARD.name}]
        recent = [tp for tp in logs if tp.topic == WORK.name]
        rest = [tp for tp in logs if tp.topic in {SIGNALS.name, ALERTS.name}]
        since = self._clock.now_ms() - WORK_SINCE_S * 1000
        return (
            await consumer.beginning_offsets(whole)
            | await consumer.offsets_for_times(dict.fromkeys(recent, since))
            | await consumer.end_offsets(rest)
        )

    def _listed(self, record: Record) -> None:
        changed = self._directory.apply(record)
        if changed is not None:
            self._hub.each_of(changed, self._check)

    def _check(self, session: Session) -> None:
        if self._directory.revoked(session.person):
            session.close(CloseCode.REVOKED, self._clock.monotonic())

    def _signalled(self, record: Record) -> None:
        if record.key not in self._streams.conversations.watched:
            return
        event = contracts.decode(record)
        if isinstance(event, SignalSent):
            self._streams.conversations.signal(event)

    def _board(self, record: Record) -> None:
        event = contracts.decode(record)
        if isinstance(event, BoardPublished) and record.value is not None:
            self._streams.boards.deliver(NewBoard(event.shop_id, record.value))

    def _alert(self, record: Record) -> None:
        event = contracts.decode(record)
        if isinstance(event, Alert):
            self._streams.boards.deliver(event)
        if isinstance(event, WaitingThresholdPassed):
            self._streams.inboxes.deliver(news_of({event.agent_id}, event=event))

    def _work(self, record: Record) -> None:
        event: Event = contracts.decode(record)
        if isinstance(event, WorkAssigned):
            self._agents[event.work_id] = event.agent_id
            if len(self._agents) > WORK_KNOWN:
                self._agents.popitem(last=False)
            news = news_of(
                {event.agent_id, event.previous_agent_id},
                event=event,
                version=event.version,
                work_id=event.work_id,
            )
            self._streams.inboxes.deliver(news)
        elif isinstance(event, WorkEscalated):
            holder = self._agents.get(event.work_id)
            self._streams.inboxes.deliver(news_of({holder}, event=event, work_id=event.work_id))
        elif isinstance(event, WorkSettled):
            agent = self._agents.pop(event.work_id, None)
            news = news_of({agent}, event=event, work_id=event.work_id)
            self._streams.inboxes.deliver(news)
