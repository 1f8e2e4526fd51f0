"""The way into the log: what a client says, judged, collected, handed to the producer, answered."""

from services.gateway.inbound.batcher import Batcher
from services.gateway.inbound.gate import Gate
from services.gateway.inbound.sends import Inbound
from services.gateway.inbound.signals import Signals

__all__ = ["Batcher", "Gate", "Inbound", "Signals"]
