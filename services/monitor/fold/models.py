"""Where the fold stands: partitions and the states of conversations."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from kit import row_security
from services.monitor.tables import Base


class PartitionRow(Base):
    """How far a partition of the chat log is folded, in log time."""

    __tablename__ = "partitions"
    __table_args__ = (
        {"info": row_security.exempt("how far the log is folded, which holds what all shops say")},
    )

    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    watermark_ms: Mapped[int] = mapped_column(comment="newest log time folded")
    log_ms: Mapped[int] = mapped_column(comment="greatest receive time folded")
    caught_up_ms: Mapped[int] = mapped_column(comment="last seen folded to the end")
    refold_below: Mapped[int | None] = mapped_column(
        comment="below it only what began anew is folded (H49)"
    )


class ConversationRow(Base):
    """A conversation's state between two batches, and what boards ask of it."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index(None, "generation", "partition"),
        Index(
            "ix_conversations_live",
            "shop_id",
            postgresql_where=text("open or unsettled"),
        ),
    )

    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(SmallInteger, comment="to which its offsets belong")
    partition: Mapped[int] = mapped_column(Integer)
    shop_id: Mapped[str]
    open: Mapped[bool]
    owner: Mapped[str | None]
    waiting_ms: Mapped[int | None] = mapped_column(comment="since when the buyer waits for a human")
    oldest_round_ms: Mapped[int | None] = mapped_column(comment="oldest open round of any reading")
    unsettled: Mapped[bool] = mapped_column(comment="a round or first response is not settled")
    forget_ms: Mapped[int | None] = mapped_column(comment="log time after which the row may go")
    state: Mapped[bytes] = mapped_column(comment="services.monitor.fold.states")


class BookSpanRow(Base):
    """Which book of profiles is in force from an offset on (H32)."""

    __tablename__ = "book_spans"
    __table_args__ = (
        {"info": row_security.exempt("by which rules the log of all shops is folded")},
    )

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    first_offset: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    readings: Mapped[list[str]]
    digests: Mapped[dict[str, Any]] = mapped_column(comment="{profile: hash of its rules}")


class BookRow(Base):
    """A book that a monitor began with. Only the newest is folded by (H32)."""

    __tablename__ = "books"
    __table_args__ = (
        {"info": row_security.exempt("by which rules the log of all shops is folded")},
    )

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    begun: Mapped[int] = mapped_column(comment="the greatest is the newest")
    seen_at: Mapped[datetime] = mapped_column(comment="when a monitor with it was last alive")
