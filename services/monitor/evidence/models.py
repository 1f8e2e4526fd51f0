"""Messages that the gate held back, and those that were said all the same."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, func
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class IncidentRow(Base):
    """A message that the gate held back."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index(None, "shop_id", "held_ms", "incident_id"),
        Index(None, "held_ms", "shop_id"),
    )

    incident_id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    conversation_id: Mapped[str]
    agent_id: Mapped[str]
    client_id: Mapped[str]
    action: Mapped[str]
    text: Mapped[str] = mapped_column(comment="the evidence: what the buyer never saw")
    categories: Mapped[list[str]]
    hits: Mapped[list[dict[str, Any]]]
    lexicon_version: Mapped[str]
    policy_version: Mapped[str]
    held_ms: Mapped[int]
    stored_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ConfirmationRow(Base):
    """An agent meant what the gate asked about; the first reason of a message stands."""

    __tablename__ = "confirmations"
    __table_args__ = (
        Index(None, "shop_id", "incident_id"),
        Index(None, "shop_id", "confirmed_ms"),
    )

    message_id: Mapped[str] = mapped_column(primary_key=True)
    incident_id: Mapped[str]
    shop_id: Mapped[str]
    conversation_id: Mapped[str]
    agent_id: Mapped[str]
    reason: Mapped[str | None] = mapped_column(comment="null: an older client gave none")
    hits: Mapped[list[dict[str, Any]]]
    lexicon_version: Mapped[str]
    confirmed_ms: Mapped[int]
    stored_at: Mapped[datetime] = mapped_column(server_default=func.now())
