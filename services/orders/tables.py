"""What every table of the orders service has under it: schema, base class, shared tables.

Knows no subject; each has its own in its `models`.
"""

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, DateTime, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

from kit import tables

METADATA: Final = tables.metadata("orders")

OUTBOX: Final = tables.outbox(METADATA)
INBOX: Final = tables.inbox(METADATA)
IDEMPOTENCY: Final = tables.idempotency(METADATA)
AUDIT: Final = tables.audit(METADATA)

SETTLEMENTS: Final = "orders.settlements"
"""The consumer group under whose name inbox rows stand."""


class Base(DeclarativeBase):
    """Text is `text`, moments carry a time zone, free values are JSONB."""

    metadata = METADATA
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        list[dict[str, Any]]: JSONB(),
        dict[str, Any]: JSONB(),
    }
