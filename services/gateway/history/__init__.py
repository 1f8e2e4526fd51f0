"""What was said before now: the ring of recent records, the archive's answers, gaps in the broker.

Reads and remembers; must not know who is connected.
"""

from services.gateway.history.client import Attached, HistoryClient, HttpHistoryClient, Mark, Stored
from services.gateway.history.gap import GapReader, GapTooLarge
from services.gateway.history.ring import Ring

__all__ = [
    "Attached",
    "GapReader",
    "GapTooLarge",
    "HistoryClient",
    "HttpHistoryClient",
    "Mark",
    "Ring",
    "Stored",
]
