"""What every table of the aftersales service has under it: schema, base class, shared tables.

Knows no subject; each has its own in its `models`.
"""

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.orm import DeclarativeBase

from kit import tables

METADATA: Final = tables.metadata("aftersales")

OUTBOX: Final = tables.outbox(METADATA)
INBOX: Final = tables.inbox(METADATA)
IDEMPOTENCY: Final = tables.idempotency(METADATA)
AUDIT: Final = tables.audit(METADATA)
TIMERS: Final = tables.timers(METADATA)


class Base(DeclarativeBase):
    """Text is `text`, moments carry a time zone."""

    metadata = METADATA
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        datetime: DateTime(timezone=True),
    }
