"""What was said before now: the ring of recent records, the archive's answers, gaps in the broker.

Reads and remembers; must not know who is connected.
"""

from services.gateway.history.archive import Archive, Attached, HttpArchive, Mark, Stored
from services.gateway.history.gap import GapReader, GapTooLarge
from services.gateway.history.ring import Ring

__all__ = [
    "Archive",
    "Attached",
    "GapReader",
    "GapTooLarge",
    "HttpArchive",
    "Mark",
    "Ring",
    "Stored",
]
