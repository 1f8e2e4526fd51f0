"""Flagged messages, and the wording rules by which messages were checked."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class FlagRow(Base):
    """A delivered message that breaks a wording rule, with the evidence."""

    __tablename__ = "flags"
    __table_args__ = (Index(None, "shop_id", "at_ms", "message_id"),)

    message_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(SmallInteger)
    partition: Mapped[int] = mapped_column(Integer)
    offset: Mapped[int]
    shop_id: Mapped[str]
    conversation_id: Mapped[str]
    sender_id: Mapped[str]
    speaker: Mapped[str]
    at_ms: Mapped[int]
    categories: Mapped[list[str]]
    hits: Mapped[list[dict[str, Any]]] = mapped_column(
        comment="term, span, category and why of each hit"
    )
    lexicon_version: Mapped[str]
    policy_version: Mapped[str]


class WordingSpanRow(Base):
    """The wording rules of a shop's messages from an offset on."""

    __tablename__ = "wording_spans"
    __table_args__ = (
        {
            "comment": (
                "under which lexicon and policy a shop's messages were checked from an offset on"
            )
        },
    )

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    shop_id: Mapped[str] = mapped_column(primary_key=True)
    first_offset: Mapped[int] = mapped_column(primary_key=True)
    lexicon_version: Mapped[str]
    policy_version: Mapped[str]
    begun_at: Mapped[datetime] = mapped_column(server_default=func.now())
