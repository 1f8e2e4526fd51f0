"""The gateway put together: the only place that says which bus, clock and lexicon."""

from dataclasses import replace
from typing import Final, NoReturn

from fastapi import FastAPI
from typing_extensions import override

from contracts.images import UPLOADS
from contracts.topics import DIRECTORY
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Bus
from kit.clock import Clock, SystemClock
from kit.errors import Unavailable
from kit.process import App, make_room
from kit.service import commands
from kit.service.core import Service
from kit.web.app import create_app
from kit.web.auth import Principal, TokenVerifier
from kit.web.capacity import CONNECTIONS
from services.gateway.channels import registration as channels
from services.gateway.history import GapReader, HistoryClient, Ring
from services.gateway.history import registration as histories
from services.gateway.history.client import CONNECTIONS as CONNECTIONS_OF_SOCKETS
from services.gateway.history.client import TIMEOUT_S as HISTORY_S
from services.gateway.hub import Directory, Hub
from services.gateway.inbound import registration as inbound
from services.gateway.limits import FairTurns
from services.gateway.pages import registration as pages
from services.gateway.rest import pool
from services.gateway.rest import registration as rest
from services.gateway.resume import Resume
from services.gateway.settings import Settings
from services.gateway.sockets import Authenticator, websocket_class
from services.gateway.sockets import registration as sockets
from services.gateway.streams import registration as streams
from wording import LiveEngine

NAME: Final = "gateway"
VERSION: Final = "1"

FLUSH_S: Final = 1.0
"""Wait for acks at the very end: the drain has answered every send already."""


class Gateway(Service[Settings]):
    """A service that takes sockets beside requests, and lets nobody in before it knows enough."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        *,
        clock: Clock,
        history: HistoryClient | None = None,
        lexicon: LiveEngine | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        super().__init__(NAME, settings, clock=clock, bus=bus, flush_s=FLUSH_S)
        self._connections = connections
        hub, directory, turns = Hub(clock), Directory(), FairTurns()
        self.verifier = TokenVerifier(settings.token_public_key, clock)
        authenticator = Authenticator(self.verifier, directory, hub=hub, clock=clock)
        self.history_pool = pool(CONNECTIONS_OF_SOCKETS, HISTORY_S)
        self.resource(stop=self.history_pool.aclose)
        history = history or histories.client_of(self, self.history_pool)
        ring, gaps = histories.register(self)
        lexicon = lexicon or settings.open_lexicon()
        sends, signals = inbound.register(self, lexicon, directory, ring=ring, history=history)
        resume = self._resume(ring, history, gaps=gaps, turns=turns)
        kinds, conversations, viewers = streams.register(
            self,
            hub,
            resume=resume,
            lanes=sends.lanes,
            history=history,
            ring=ring,
            turns=turns,
            directory=directory,
        )
        hearers = [{DIRECTORY: authenticator.listed}, *kinds.hears(), viewers.hears()]
        self.channels = channels.register(
            self, hub, hearers=hearers, audience=conversations, ring=ring
        )
        self.sockets = sockets.register(
            self,
            hub,
            authenticator,
            inbound=sends,
            signals=signals,
            streams=kinds,
            ready=self.ready,
        )
        rest.register(self, sockets.limits_of(settings).shown, directory=directory)
        pages.register(self, directory)
        self.hub, self.ring, self.authenticator = hub, ring, authenticator

    def _resume(
        self, ring: Ring, history: HistoryClient, *, gaps: GapReader, turns: FairTurns
    ) -> Resume:
        return Resume(
            ring,
            history=history,
            gaps=gaps,
            end_of=self._end_of,
            turns=turns,
            clock=self.clock,
            metrics=self.metrics,
            slow_reader_s=self.settings.slow_reader_s,
        )

    async def _end_of(self, partition: int) -> int:
        return await self.channels.chat.end_of(partition)  # which leans on what is built before

    @override
    def built(self) -> App:
        return replace(
            super().built(),
            drain=self.sockets.drain.steps(),
            websocket=websocket_class(self.sockets.handshake),
            connections=self._connections,
        )

    @override
    def public(self) -> FastAPI:
        """Build the public door: tokens may be withdrawn, and OpenAPI is that of all services."""
        return create_app(
            title="PeakDesk gateway",
            version=VERSION,
            clock=self.clock,
            verifier=self.verifier,
            revoked=self._withdrawn,
            routers=self.routers,
            metrics=self.metrics,
            tracing=self.tracing,
            allowed_origins=sorted(self.settings.origins),
            openapi_url=None,
            raw=UPLOADS,
        )

    def ready(self) -> bool:
        """Tell whether directory and ring are whole: before that nobody may be let in (H9, H13)."""
        return self.channels.read

    def _withdrawn(self, principal: Principal) -> bool:
        if not self.channels.directory_read:
            raise Unavailable("The gateway is starting.")
        return self.authenticator.withdrawn(principal)


def build(settings: Settings) -> Gateway:
    """Return the service on Kafka and the system's clock, with as many sockets as files allow.

    Raises `SettingsRefused` for a lexicon that cannot be read.
    """
    room = make_room(sockets=settings.sockets, http=CONNECTIONS)
    settings = settings.model_copy(update={"sockets": room.sockets})
    bus = KafkaBus.from_settings(settings, client_id=NAME)
    return Gateway(settings, bus, clock=SystemClock(), connections=room.http)


def main() -> NoReturn:
    """Run the gateway until it is told to stop."""
    commands.main(NAME, Settings, build=build)


if __name__ == "__main__":
    main()
