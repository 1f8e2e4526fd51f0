"""The composition root of the gateway: which implementations, and how they fit together."""

import random
from dataclasses import replace
from typing import Any, Final, NoReturn

from fastapi import FastAPI
from typing_extensions import override

from contracts.topics import CHAT, DIRECTORY
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Bus
from kit.clock import Clock, SystemClock
from kit.errors import Unavailable
from kit.process import App, make_room
from kit.reloading import EVERY_S as RELOAD_S
from kit.reloading import Reloading
from kit.service import commands
from kit.service.core import Service
from kit.web.app import create_app
from kit.web.auth import Principal, ServiceTokens, TokenVerifier
from kit.web.capacity import CONNECTIONS, ConnectionLimits
from kit.web.forwarded import TrustedProxies
from services.gateway.channels import FACTS, ChatChannel, FactsChannel, Presence
from services.gateway.channels.presence import NEWCOMERS_S
from services.gateway.history import GapReader, HistoryClient, HttpHistoryClient, Ring
from services.gateway.history.client import CONNECTIONS as CONNECTIONS_OF_SOCKETS
from services.gateway.history.client import TIMEOUT_S as HISTORY_S
from services.gateway.history.gap import FORGET_S as FORGET_GAPS_S
from services.gateway.hub import Directory, Hub
from services.gateway.inbound import Batcher, Gate, Inbound, Signals
from services.gateway.limits import FairTurns
from services.gateway.rest import Neighbours, OpenApi, Proxy, limits_router, pool, service_of
from services.gateway.resume import Resume
from services.gateway.settings import Settings
from services.gateway.sockets import (
    Authenticator,
    Connection,
    ConnectionRegistry,
    Drain,
    FrameDispatcher,
    FrameRates,
    Handshake,
    Reaper,
    SocketSessions,
    websocket_class,
)
from services.gateway.sockets.reaper import EVERY_S as REAP_S
from services.gateway.streams import (
    BoardStream,
    ConversationStream,
    InboxStream,
    Joins,
    Stream,
    Streams,
)
from wording import LexiconError, LiveEngine

NAME: Final = "gateway"
VERSION: Final = "1"

FLUSH_S: Final = 1.0
"""Wait for acks at the very end: the drain has answered every send already."""


class Gateway(Service[Settings]):
    """The gateway's objects, built once and handed to whoever needs them."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        *,
        clock: Clock,
        history: HistoryClient | None = None,
        lexicon: LiveEngine | None = None,
        chance: random.Random | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        super().__init__(NAME, settings, clock=clock, bus=bus, flush_s=FLUSH_S)
        self._connections = connections
        self._lexicon = lexicon or settings.open_lexicon()
        self.neighbours = Neighbours(settings.addresses, timeout_s=settings.proxy_timeout_s)
        self.history_pool = pool(CONNECTIONS_OF_SOCKETS, HISTORY_S)
        self.hub = Hub(clock)
        self.verifier = TokenVerifier(settings.token_public_key, clock)
        self.directory = Directory()
        self.authenticator = Authenticator(self.verifier, self.directory, hub=self.hub, clock=clock)
        self._inside(history or self._history())
        self._channels()
        self._sockets(chance or random.Random())  # noqa: S311 - spreads reconnects, no secret
        self._register()

    def _history(self) -> HistoryClient:
        """Return the services' answers to sockets, on connections of their own."""
        settings = self.settings
        return HttpHistoryClient(
            self.history_pool,
            ServiceTokens(settings.service_private_key, NAME, self.clock),
            conversation=settings.conversation_internal_url,
            monitor=settings.monitor_internal_url,
        )

    def _inside(self, history: HistoryClient) -> None:
        """Build what a client asks for: to say something, to watch, to go on where it was."""
        settings, clock, metrics, hub = self.settings, self.clock, self.metrics, self.hub
        self.ring = Ring(seconds=settings.ring_s, octets=settings.ring_bytes)
        self.gaps = GapReader(
            self.bus,
            CHAT.name,
            clock=clock,
            records=settings.gap_records,
            octets=settings.gap_bytes,
            seconds=settings.gap_s,
        )
        self.batcher = Batcher(self.producer, clock, tick_s=settings.tick_ms / 1000)
        self.signals = Signals(self.producer, self.batcher, clock, self.ids)
        secret = settings.cursor_secret.get_secret_value().encode()
        self.inbound = Inbound(
            self.producer,
            self.batcher,
            gate=Gate(self._lexicon, self.directory, secret),
            ring=self.ring,
            history=history,
            clock=clock,
            metrics=metrics,
            outcome_s=settings.outcome_s,
        )
        turns = FairTurns()
        resume = Resume(
            self.ring,
            history=history,
            gaps=self.gaps,
            end_of=self._end_of,
            turns=turns,
            clock=clock,
            metrics=metrics,
            slow_reader_s=settings.slow_reader_s,
        )
        joins = Joins(hub, clock=clock, metrics=metrics)
        inboxes = InboxStream(hub, joins, history=history, turns=turns)
        boards = BoardStream(hub, joins, history=history, turns=turns)
        self.conversations = ConversationStream(
            hub, joins, resume, lanes=self.inbound.lanes, tell=inboxes.deliver
        )
        kinds: list[Stream[Any, Any]] = [inboxes, boards, self.conversations]
        self.streams = Streams(joins, kinds, limit=settings.subscriptions)

    async def _end_of(self, partition: int) -> int:
        return await self.chat.end_of(partition)  # which leans on what is built here

    def _channels(self) -> None:
        clock, metrics = self.clock, self.metrics
        self.chat = ChatChannel(
            self.bus,
            self.conversations,
            ring=self.ring,
            clock=clock,
            metrics=metrics,
            ring_s=self.settings.ring_s,
        )
        hearers = [{DIRECTORY: self.authenticator.listed}, *self.streams.hears()]
        self.facts = FactsChannel(self.bus, hearers, clock=clock, metrics=metrics)

    def _sockets(self, chance: random.Random) -> None:
        settings, clock, limits = self.settings, self.clock, self.settings.limits
        connections = ConnectionLimits(settings.sockets, settings.sockets_unauthenticated)
        self.registry = ConnectionRegistry(self.hub, connections, clock=clock, metrics=self.metrics)
        rates = FrameRates(limits.rate, clock)
        sessions = SocketSessions(
            self.registry,
            self.authenticator,
            hub=self.hub,
            streams=self.streams,
            rates=rates,
            clock=clock,
            ids=self.ids,
            limits=limits,
        )
        dispatcher = FrameDispatcher(
            sessions,
            rates,
            inbound=self.inbound,
            signals=self.signals,
            streams=self.streams,
            clock=clock,
            metrics=self.metrics,
        )
        self.handshake = Handshake(
            lambda address, bearer: Connection(
                dispatcher, self.registry, address=address, bearer=bearer
            ),
            connections,
            ready=self.ready,
            origins=settings.origins,
            proxies=TrustedProxies(settings.trusted_proxies),
        )
        self.reaper = Reaper(self.hub, self.registry, limits=limits, clock=clock)
        self.drain = Drain(
            self.hub,
            self.inbound,
            handshake=self.handshake,
            clock=clock,
            times=settings.drain_times,
            chance=chance,
        )

    def _register(self) -> None:
        """Say what runs. Roles start in this order and stop in reverse."""
        clock, gateway_id = self.clock, self.settings.gateway_id
        presence = Presence(
            self.producer, self.hub, gateway_id=gateway_id, clock=clock, ids=self.ids
        )
        self.resource(stop=self.neighbours.close)
        self.resource(stop=self.history_pool.aclose)
        facts, chat = self.facts.reader, self.chat.reader
        self.watch("directory", FACTS, facts, ping=facts.ping)
        self.watch("chat", [CHAT], chat, ping=chat.ping)
        self.role(self.batcher)
        self.role(self.inbound)
        self.resource(stop=self.streams.stop)
        self.resource(stop=presence.leave)
        self.every(self.settings.presence_s, "presence", presence.report)
        self.every(NEWCOMERS_S, "newcomers", presence.greet)
        self.every(REAP_S, "reaper", self.reaper.once)
        lexicon = Reloading("lexicon", self._lexicon, refused=LexiconError)
        self.every(RELOAD_S, "lexicon", lexicon)
        self.every(FORGET_GAPS_S, "gaps", self.gaps.forget)
        openapi = OpenApi(self.neighbours, leads_to=service_of, clock=clock)
        self.routes(
            limits_router(self.settings.limits.shown),
            openapi.router(lambda: self.http),
            Proxy(self.neighbours).router(),
        )

    @override
    def built(self) -> App:
        return replace(
            super().built(),
            drain=self.drain.steps(),
            websocket=websocket_class(self.handshake),
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
        )

    def ready(self) -> bool:
        """Tell whether directory and ring are whole: before that nobody may be let in (H9, H13)."""
        return self.facts.reader.caught_up.is_set() and self.chat.reader.caught_up.is_set()

    def _withdrawn(self, principal: Principal) -> bool:
        if not self.facts.reader.caught_up.is_set():
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
