"""A service without a database: registering a part registers its ping, its beginning and its end.

Knows every piece that all services share; must not know what any of them does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, Final, Generic, Protocol, TypeVar

from fastapi import APIRouter, FastAPI

from kit.bus.deadletter import DeadLetters, Replayed, replay
from kit.bus.loops import HandleOne, ReaderLoop, SingleLoop
from kit.bus.ports import Bus, Record
from kit.bus.settling import Handle
from kit.clock import Clock
from kit.ids import Uuid7Ids
from kit.metrics import Metrics
from kit.periodic import Periodic
from kit.process import App, Resource, Role
from kit.service.revocations import Entry, Revocations, Sight
from kit.settings import ServiceSettings
from kit.telemetry import Tracing
from kit.web.app import create_app
from kit.web.auth import TokenVerifier
from kit.web.health import Health, Ping, create_admin
from kit.web.tokens import SERVICES, Principal

S = TypeVar("S", bound=ServiceSettings)

VERSION: Final = version("peakdesk")

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


class Service(Generic[S]):
    """What a process consists of. Parts start in the order in which they are registered.

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
        self.tracing = Tracing(name, settings.trace_file, otlp_endpoint=settings.otlp_endpoint)
        self.routers: list[APIRouter] = []
        self._internal: list[APIRouter] = []
        self._roles: list[Role] = [
            Resource(stop=bus.close),
            Resource(self.producer.start, partial(self.producer.stop, flush_s)),
        ]
        self._consuming: list[Role] = []
        self._app: App | None = None
        self._revoked: Callable[[Principal], bool] | None = None

    def refuse_revoked(self, topic: Named, decode: Callable[[Record], Entry | None]) -> None:
        """Refuse tokens that the entries of a compacted topic withdraw (H41).

        Register it first: the parts behind it begin once it was read, or after `WAIT_S`. It is no
        part of readiness, for without a broker signed tokens are believed.
        """
        revocations, name = Revocations(decode), f"{self.name}.revocations"
        loop = ReaderLoop(
            self.bus,
            topics=[topic.name],
            name=name,
            handle=revocations,
            metrics=self.metrics,
        )
        self.readers[name] = (topic.name,)
        self._consuming.append(loop)
        self._roles += [loop, Sight(loop.caught_up, self.metrics.revocations_blind.set)]
        self._revoked = revocations.revoked

    def routes(self, *routers: APIRouter) -> None:
        """Serve these to people."""
        self.routers.extend(routers)

    def internal(self, *routers: APIRouter) -> None:
        """Serve these to neighbours, on the admin port."""
        self._internal.extend(routers)

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

    def every(self, seconds: float, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Call `work` at once and then so many seconds after the last call ended."""
        self._roles.append(Periodic(name, work, every_s=seconds, clock=self.clock))

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

    @property
    def http(self) -> FastAPI:
        """The application that people reach."""
        return self.app().http

    def app(self) -> App:
        """Return the service as a process runs it, built when it is first asked for."""
        if self._app is None:
            self._app = self.built()
        return self._app

    def built(self) -> App:
        """Build what a process runs. A service with more of its own says so over this."""
        return App(
            name=self.name,
            settings=self.settings,
            http=self.public(),
            admin=self._admin(),
            health=self.health,
            roles=self._roles,
            drain=[self._leave],
            tracing=self.tracing,
        )

    def public(self) -> FastAPI:
        """Build the application that people reach. As `built`, this may be said anew."""
        return create_app(
            title=f"PeakDesk {self.name}",
            version=VERSION,
            routers=self.routers,
            clock=self.clock,
            verifier=TokenVerifier(self.settings.token_public_key, self.clock),
            revoked=self._revoked,
            metrics=self.metrics,
            tracing=self.tracing,
        )

    async def replay(self, group: str) -> Replayed:
        """Hand a group's dead letters to its handler once more. Raises `UnknownGroup`."""
        taken = {name: one.replay for name, one in self.groups.items() if one.replay is not None}
        if group not in taken:
            known = " and ".join(taken) or "nothing"
            raise UnknownGroup(f"{self.name} replays {known}, not {group}")
        return await replay(self.bus, group, taken[group])

    async def close(self) -> None:
        """Let go of what was opened without running."""
        try:
            await self.bus.close()
        finally:
            self.tracing.close()

    def _admin(self) -> FastAPI:
        return create_admin(
            title=f"PeakDesk {self.name}, internal",
            version=VERSION,
            clock=self.clock,
            health=self.health,
            metrics=self.metrics,
            service_verifier=TokenVerifier(self.settings.service_public_key, self.clock, SERVICES),
            internal=self._internal,
        )

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
