"""What the rules of all subjects share: a decision's moment, the form of an id, when tokens end.

Pure: no session, no clock, no bus.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
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


EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""`not_before` of somebody whose tokens were never revoked."""


def revoked_at(moment: datetime) -> datetime:
    """Return the `not_before` that ends every token issued up to `moment`.

    Tokens count whole seconds, so the limit is the next one; a new login waits for it.
    """
    return moment.replace(microsecond=0) + timedelta(seconds=1)
