"""What runs of the bus side: two readers of whole topics, and the reports of who is here."""

from collections.abc import Iterable
from typing import NamedTuple

from contracts.topics import CHAT
from kit.service.core import Service
from services.gateway.channels.chat import Audience, ChatChannel, ChatWindow
from services.gateway.channels.facts import FACTS, FactsChannel, Hearers
from services.gateway.channels.presence import NEWCOMERS_S, People, Presence
from services.gateway.settings import Settings


class Channels(NamedTuple):
    """What is read here."""

    facts: FactsChannel
    chat: ChatChannel

    @property
    def directory_read(self) -> bool:
        """Tell whether the directory was read to its end."""
        return self.facts.reader.caught_up.is_set()

    @property
    def read(self) -> bool:
        """Tell whether directory and ring are whole."""
        return self.directory_read and self.chat.reader.caught_up.is_set()


def register(
    service: Service[Settings],
    people: People,
    *,
    hearers: Iterable[Hearers],
    audience: Audience,
    ring: ChatWindow,
) -> Channels:
    """Read the topics to who hears them, and tell others who is here."""
    settings, clock, metrics = service.settings, service.clock, service.metrics
    facts = FactsChannel(service.bus, hearers, clock=clock, metrics=metrics)
    chat = ChatChannel(
        service.bus, audience, ring=ring, clock=clock, metrics=metrics, ring_s=settings.ring_s
    )
    presence = Presence(
        service.producer, people, gateway_id=settings.gateway_id, clock=clock, ids=service.ids
    )
    service.watch("directory", FACTS, facts.reader, ping=facts.reader.ping)
    service.watch("chat", [CHAT], chat.reader, ping=chat.reader.ping)
    service.resource(stop=presence.leave)
    service.every(settings.presence_s, "presence", presence.report)
    service.every(NEWCOMERS_S, "newcomers", presence.greet)
    return Channels(facts, chat)
