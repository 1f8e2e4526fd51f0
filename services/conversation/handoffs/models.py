"""The tables of buyers for whom a colleague is looked for, and of who was asked."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.conversation.tables import Base, Id, Key, OfShop


class LongWaitRow(Base):
    """A wait for which a colleague is looked for, until its limit is near."""

    __tablename__ = "handoff_waits"
    __table_args__ = (
        Index("ix_handoff_waits_open", "shop_id", "breach_at", postgresql_where=text("is_open")),
        Index(None, "breach_at"),
    )

    conversation_id: Mapped[Key]
    waiting_since: Mapped[datetime] = mapped_column(primary_key=True)
    shop_id: Mapped[OfShop]
    from_agent_id: Mapped[Id]
    seat_version: Mapped[int]
    breach_at: Mapped[datetime]
    is_open: Mapped[bool] = mapped_column(server_default=text("true"))


class OfferRow(Base):
    """A buyer whom somebody was offered: one at a time of each, and to each."""

    __tablename__ = "offers"
    __table_args__ = (
        Index(
            "uq_offers_conversation",
            "conversation_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "uq_offers_person",
            "to_agent_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_offers_open", "shop_id", postgresql_where=text("state = 'open'")),
        Index(None, "to_agent_id", "offered_at"),
        Index(None, "conversation_id", "offered_at"),
        Index(None, "offered_at"),
    )

    id: Mapped[Key]
    shop_id: Mapped[OfShop]
    conversation_id: Mapped[Id]
    from_agent_id: Mapped[Id]
    to_agent_id: Mapped[Id]
    seat_version: Mapped[int]
    waiting_since: Mapped[datetime]
    breach_at: Mapped[datetime]
    offered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str]
    ended_at: Mapped[datetime | None]
