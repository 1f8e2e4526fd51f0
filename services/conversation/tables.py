"""What the tables of all subjects share: their metadata, their base, and the tables of the house.

Ids that PeakDesk makes are UUIDs and are stored as such; the shop scope `platform` is none, so shop
ids are text. Bodies of archived records are text, exactly as they stood in the log.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from contracts.people import AgentState, ConversationState, Role, Stage
from kit import tables

METADATA: Final = tables.metadata("conversation")

OUTBOX: Final = tables.outbox(METADATA)
INBOX: Final = tables.inbox(METADATA)
IDEMPOTENCY: Final = tables.idempotency(METADATA)
AUDIT: Final = tables.audit(METADATA, ids=Uuid(as_uuid=False))
MARKS: Final = tables.marks(METADATA)
GENERATIONS: Final = tables.generations(METADATA)

Id = Annotated[str, mapped_column(Uuid(as_uuid=False))]
Key = Annotated[str, mapped_column(Uuid(as_uuid=False), primary_key=True)]
Small = Annotated[int, mapped_column(SmallInteger)]
SmallKey = Annotated[int, mapped_column(SmallInteger, primary_key=True)]
Made = Annotated[datetime, mapped_column(server_default=func.now())]
OfShop = Annotated[str, mapped_column(ForeignKey("conversation.shops.id"))]

# The release before the audit had one shape writes these alone, and a trigger puts them where they
# are read. They can go once no process of that release runs.
AUDIT.append_column(Column("role", Text))
AUDIT.append_column(Column("reason", Text))


def one_of(column: str, values: type[Role | AgentState | ConversationState | Stage]) -> str:
    """Return the text of a check that a column holds a member of an enumeration."""
    return f"{column} in ({', '.join(repr(str(value)) for value in values)})"


class Base(DeclarativeBase):
    """Text is `text`, moments carry a time zone."""

    metadata = METADATA
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: Integer(),
        bool: Boolean(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
    }


def table_of(row: type[Base]) -> Table:
    """Return a row's table, for statements.

    They take tables and not rows: a session that keeps entities would show a decision what it read
    before it had the lock.
    """
    table = row.__table__
    assert isinstance(table, Table)
    return table


def fields(facts: object, columns: Iterable[str]) -> dict[str, object]:
    """Return, of these columns, those that the facts have, with their values."""
    return {name: getattr(facts, name) for name in columns if hasattr(facts, name)}
