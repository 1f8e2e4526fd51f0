"""Which lists of conversations there are."""

from enum import StrEnum
from typing import Final

IDS_MOST: Final = 50
"""Conversations that are asked for by their ids at once."""


class ListView(StrEnum):
    """A list of a shop: who waits, longest first; who is served, and what is over, latest first."""

    QUEUE = "queue"
    TEAM = "team"
    CLOSED = "closed"
