"""The way into the log: what a client says, judged, collected, handed to the producer, answered."""

from services.gateway.inbound.sends import Inbound
from services.gateway.inbound.signals import Signals

__all__ = ["Inbound", "Signals"]
