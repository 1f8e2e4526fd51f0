"""What a process does by itself: registering a part registers its ping, its beginning and its end.

Knows loops, clocks and resources, never what a handler does; `kit.service.core` adds the doors.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from kit.bus.deadletter import DeadLetters, Replayed, replay
from kit.bus.loops import HandleOne, ReaderLoop, SingleLoop
from kit.bus.ports import Bus
from kit.bus.settling import Handle
from kit.clock import Clock
from kit.ids import Uuid7Ids
from kit.metrics import Metrics
from kit.periodic import Periodic
from kit.process import Resource, Role
from kit.settings import ServiceSettings
from kit.web.health import Health, Ping

S = TypeVar("S", bound=ServiceSettings)

FLUSH_S: Final = 10.0


class Named(Protocol):
    """A topic, as far as a service must know it to read it."""

    @property
    def name(self) -> str:
        """Its name without the deployment's prefix."""


class UnknownGroup(Exception):
    """The service has no such group, or none whose dead letters it can take back."""


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group of the service, as it was registered."""

    topics: tuple[str, ...]
    replay: HandleOne | None
    """What its dead letters are handed to; None if they change nothing any more."""


class Worker(Generic[S]):
    """Parts that work. They start in the order in which they are registered.

    Bus and producer come first, so that everything may lean on them; all stop in reverse.
    `clock` moves business time; loops keep to real time, for they wait for a broker.
    """

    def __init__(
        self,
        name: str,
        settings: S,
        *,
        clock: Clock,
        bus: Bus,
        flush_s: float = FLUSH_S,
    ) -> None:
        """`flush_s` is how long the producer waits for what is under way at the very end."""
        self.name = name
        self.settings = settings
        self.clock = clock
        self.bus = bus
        self.ids = Uuid7Ids(clock)
        self.metrics = Metrics(process=True)
        self.health = Health()
        self.producer = bus.producer()
        self.groups: dict[str, Group] = {}
        self.readers: dict[str, tuple[str, ...]] = {}
        """Topics that every replica reads whole, by the reader's name."""
        self._roles: list[Role] = [
            Resource(stop=bus.close),
            Resource(self.producer.start, partial(self.producer.stop, flush_s)),
        ]
        self._consuming: list[Role] = []

    def resource(
        self,
        start: Callable[[], Awaitable[object]] | None = None,
        stop: Callable[[], Awaitable[object]] | None = None,
        *,
        ping: tuple[str, Ping] | None = None,
    ) -> None:
        """Open and close something; `ping` is its name and how it is asked whether it is well."""
        self._roles.append(Resource(start, stop))
        if ping is not None:
            self.health.register(*ping)

    def role(self, role: Role) -> None:
        """Run a part that works by itself."""
        self._roles.append(role)

    def every(
        self,
        seconds: float,
        name: str,
        work: Callable[[], Awaitable[object]],
        *,
        calm_s: float | None = None,
    ) -> None:
        """Call `work` at once and then so many seconds after the last call ended.

        `calm_s` is the pause while its results say that there is nothing to do.
        """
        role = Periodic(name, work, every_s=seconds, calm_s=calm_s, clock=self.clock)
        self._roles.append(role)

    def consume(self, group: str, topics: Sequence[Named], handle: HandleOne) -> SingleLoop:
        """Read topics as a member of a group, one record at a time, in order per partition."""
        loop = SingleLoop(
            self.bus,
            topics=_names(topics),
            group=group,
            handle=handle,
            dead_letters=self._dead_letters(group),
            metrics=self.metrics,
        )
        self.join(group, topics, loop, ping=loop.ping, replay=handle)
        return loop

    def read(self, name: str, topics: Sequence[Named], handle: Handle, **how: Any) -> ReaderLoop:
        """Read topics whole, in every replica; `how` is what `ReaderLoop` takes."""
        loop = ReaderLoop(
            self.bus,
            topics=_names(topics),
            name=name,
            handle=handle,
            metrics=self.metrics,
            **how,
        )
        self.watch(name, topics, loop, ping=loop.ping)
        return loop

    def join(
        self,
        group: str,
        topics: Sequence[Named],
        member: Role,
        *,
        ping: Ping,
        replay: HandleOne | None,
    ) -> None:
        """Run a member of a group that was made elsewhere."""
        self.groups[group] = Group(_names(topics), replay)
        self._consumer(group, member, ping)

    def watch(self, name: str, topics: Sequence[Named], reader: Role, *, ping: Ping) -> None:
        """Run a reader of whole topics that was made elsewhere."""
        self.readers[name] = _names(topics)
        self._consumer(name, reader, ping)

    async def replay(self, group: str) -> Replayed:
        """Hand a group's dead letters to its handler once more. Raises `UnknownGroup`."""
        taken = {name: one.replay for name, one in self.groups.items() if one.replay is not None}
        if group not in taken:
            known = " and ".join(taken) or "nothing"
            raise UnknownGroup(f"{self.name} replays {known}, not {group}")
        return await replay(self.bus, group, taken[group])

    async def close(self) -> None:
        """Let go of what was opened without running."""
        await self.bus.close()

    def _dead_letters(self, group: str) -> DeadLetters:
        return DeadLetters(self.producer, group, metrics=self.metrics, clock=self.clock)

    def _consumer(self, name: str, role: Role, ping: Ping) -> None:
        self._consuming.append(role)
        self._roles.append(role)
        self.health.register(name, ping)

    async def _leave(self) -> None:
        """Stop the consumers together: leaving a group takes each some tenths of a second."""
        await asyncio.gather(*(role.stop() for role in self._consuming))


def _names(topics: Sequence[Named]) -> tuple[str, ...]:
    return tuple(topic.name for topic in topics)
