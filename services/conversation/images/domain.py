"""A picture as it is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

NAMED_WITHIN: Final = timedelta(hours=24)
"""A picture that no message names after so long was never sent."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture that was made anew, and whose it is."""

    id: str
    shop_id: str
    conversation_id: str
    uploader_id: str
    media_type: str
    content: bytes
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a kept picture."""

    media_type: str
    sha256: str
    content: bytes
