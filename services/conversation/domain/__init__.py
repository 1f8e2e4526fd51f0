"""What may happen in the conversation service: facts in, the new facts and their events out.

Pure: no session, no clock, no bus. Who gets a conversation is decided in `assignment`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit.errors import NotFound
from kit.ids import Ids


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a decision is taken, and where ids for its events come from."""

    at: datetime
    ids: Ids


def known_form(text: str) -> str:
    """Return the id as it is stored. Raises `NotFound` for what cannot be an id of ours."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound from None
