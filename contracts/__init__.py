"""What PeakDesk's parts and other systems may rely on: topics, events and the people in them.

One module per producer owns that producer's events; `work` has those of the topic that two write.
Nothing here performs I/O or knows a service.
"""

# Importing a producer's module registers its events, so that `decode` knows all of them.
from contracts import aftersales, conversation, gateway, handoffs, monitor, orders, work
from contracts.base import (
    ENVELOPE,
    Event,
    UnknownEvent,
    UnreadableEvent,
    decode,
    event_types,
)

__all__ = [
    "ENVELOPE",
    "Event",
    "UnknownEvent",
    "UnreadableEvent",
    "aftersales",
    "conversation",
    "decode",
    "event_types",
    "gateway",
    "handoffs",
    "monitor",
    "orders",
    "work",
]
