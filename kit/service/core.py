"""A service without a database: a worker with its doors, for people and for neighbours.

Knows every piece that all services share; must not know what any of them does.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Final, TypeVar

from fastapi import APIRouter, FastAPI
from typing_extensions import override

from kit.bus.loops import ReaderLoop
from kit.bus.ports import Bus, Record
from kit.clock import Clock
from kit.process import App
from kit.service.revocations import Entry, Revocations, Sight
from kit.service.worker import FLUSH_S, Named, Worker
from kit.settings import ServiceSettings
from kit.telemetry import Tracing
from kit.web.app import create_app
from kit.web.auth import TokenVerifier
from kit.web.health import create_admin
from kit.web.raw import RawBodies
from kit.web.tokens import SERVICES, Principal

S = TypeVar("S", bound=ServiceSettings)

VERSION: Final = version("peakdesk")


class Service(Worker[S]):
    """What a process consists of: parts that work, and two applications that are reached."""

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
        super().__init__(name, settings, clock=clock, bus=bus, flush_s=flush_s)
        self.tracing = Tracing(name, settings.trace_file, otlp_endpoint=settings.otlp_endpoint)
        self.routers: list[APIRouter] = []
        self._internal: list[APIRouter] = []
        self._app: App | None = None
        self._revoked: Callable[[Principal], bool] | None = None
        self._raw: RawBodies | None = None

    def refuse_revoked(
        self,
        topic: Named,
        decode: Callable[[Record], Entry | None],
        *,
        keys: Callable[[Principal], Sequence[str]],
    ) -> None:
        """Refuse tokens that the entries of a compacted topic withdraw (H41): those of `keys`.

        Register it first: the parts behind it begin once it was read, or after `WAIT_S`. It is no
        part of readiness, for without a broker signed tokens are believed.
        """
        revocations, name = Revocations(decode, keys), f"{self.name}.revocations"
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

    def takes_raw(self, raw: RawBodies) -> None:
        """Take bodies of people that are no JSON, on the routes that `raw` names."""
        self._raw = raw

    def internal(self, *routers: APIRouter) -> None:
        """Serve these to neighbours, on the admin port."""
        self._internal.extend(routers)

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
            raw=self._raw,
        )

    @override
    async def close(self) -> None:
        try:
            await super().close()
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
