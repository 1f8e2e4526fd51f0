"""What is kept and asked of what was said before now."""

import httpx2

from contracts.topics import CHAT
from kit.service.core import Service
from kit.web.auth import ServiceTokens
from services.gateway.history.client import HistoryClient, HttpHistoryClient
from services.gateway.history.gap import FORGET_S, GapReader
from services.gateway.history.ring import Ring
from services.gateway.settings import Settings


def register(service: Service[Settings]) -> tuple[Ring, GapReader]:
    """Return the ring, still empty, and who reads what is neither there nor archived yet."""
    settings = service.settings
    gaps = GapReader(
        service.bus,
        CHAT.name,
        clock=service.clock,
        records=settings.gap_records,
        octets=settings.gap_bytes,
        seconds=settings.gap_s,
    )
    service.every(FORGET_S, "gaps", gaps.forget)
    return Ring(seconds=settings.ring_s, octets=settings.ring_bytes), gaps


def client_of(service: Service[Settings], connections: httpx2.AsyncClient) -> HistoryClient:
    """Return the services' answers to sockets, over these connections."""
    settings = service.settings
    return HttpHistoryClient(
        connections,
        ServiceTokens(settings.service_private_key, service.name, service.clock),
        conversation=settings.conversation_internal_url,
        monitor=settings.monitor_internal_url,
    )
