"""What runs of the sockets, from the upgrade of one to the drain of all."""

import random
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from kit.service.core import Service
from kit.web.capacity import ConnectionLimits
from kit.web.forwarded import TrustedProxies
from services.gateway.hub import Hub, QueueLimits
from services.gateway.inbound import Inbound, Signals
from services.gateway.limits import Rate
from services.gateway.settings import Settings
from services.gateway.sockets.authenticator import Authenticator
from services.gateway.sockets.connection import Connection
from services.gateway.sockets.dispatcher import FrameDispatcher
from services.gateway.sockets.drain import Drain, DrainTimes
from services.gateway.sockets.handshake import Handshake
from services.gateway.sockets.port import Limits, Peer
from services.gateway.sockets.rates import FrameRates
from services.gateway.sockets.reaper import EVERY_S, Reaper
from services.gateway.sockets.registry import ConnectionRegistry
from services.gateway.sockets.sessions import SocketSessions
from services.gateway.streams import Streams


class Sockets(NamedTuple):
    """Who answers upgrades, who knows all connections, and how they are left."""

    handshake: Handshake
    registry: ConnectionRegistry
    drain: Drain


def register(
    service: Service[Settings],
    hub: Hub,
    authenticator: Authenticator,
    *,
    inbound: Inbound,
    signals: Signals,
    streams: Streams,
    ready: Callable[[], bool],
) -> Sockets:
    """Take sockets once the gateway is ready, and what is said on them."""
    settings, clock, metrics = service.settings, service.clock, service.metrics
    limits = limits_of(settings)
    connections = ConnectionLimits(settings.sockets, settings.sockets_unauthenticated)
    registry = ConnectionRegistry(hub, connections, clock=clock, metrics=metrics)
    rates = FrameRates(limits.rate, clock)
    sessions = SocketSessions(
        registry,
        authenticator,
        hub=hub,
        streams=streams,
        rates=rates,
        clock=clock,
        ids=service.ids,
        limits=limits,
    )
    dispatcher = FrameDispatcher(
        sessions,
        rates,
        inbound=inbound,
        signals=signals,
        streams=streams,
        clock=clock,
        metrics=metrics,
    )
    handshake = Handshake(
        lambda address, bearer: Connection(dispatcher, registry, address=address, bearer=bearer),
        connections,
        ready=ready,
        hosts=settings.hosts,
        proxies=TrustedProxies(settings.trusted_proxies),
    )
    service.every(EVERY_S, "reaper", Reaper(hub, registry, limits=limits, clock=clock).once)
    drain = _drain(
        service, hub, inbound, handshake=handshake, unauthenticated=registry.unauthenticated
    )
    return Sockets(handshake, registry, drain)


def limits_of(settings: Settings) -> Limits:
    """Return what a client of a socket must keep to."""
    return Limits(
        rate=Rate(settings.frames_per_s, settings.frames_burst),
        queue=QueueLimits(settings.queue_frames, settings.queue_bytes),
        sockets_per_person=settings.sockets_per_person,
        subscriptions=settings.subscriptions,
        heartbeat_s=settings.heartbeat_s,
        hello_s=settings.hello_s,
        silence_s=settings.silence_s,
        slow_reader_s=settings.slow_reader_s,
    )


def _drain(
    service: Service[Settings],
    hub: Hub,
    inbound: Inbound,
    *,
    handshake: Handshake,
    unauthenticated: AbstractSet[Peer],
) -> Drain:
    settings = service.settings
    times = DrainTimes(settings.drain_notice_s, settings.drain_spread_s, settings.drain_flush_s)
    return Drain(
        hub,
        inbound,
        handshake=handshake,
        unauthenticated=unauthenticated,
        clock=service.clock,
        times=times,
        chance=random.Random(),  # noqa: S311 - spreads reconnects, no secret
    )
