"""Channels of shops, and every message that went or is to go over one."""

from typing import Any

from sqlalchemy import Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class ChannelRow(Base):
    """Where a shop's leaders are told outside the console."""

    __tablename__ = "channels"
    __table_args__ = (Index(None, "shop_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    sealed: Mapped[bytes] = mapped_column(comment="address and secret, unreadable without the key")
    address: Mapped[str] = mapped_column(comment="as much of the address as is shown")
    has_secret: Mapped[bool]
    levels: Mapped[list[str]]
    language: Mapped[str]
    mentions: Mapped[dict[str, Any]]
    names: Mapped[bool] = mapped_column(comment="whether agents are named")
    state: Mapped[str]
    why: Mapped[str | None] = mapped_column(comment="with which code the other side broke it")
    rests_until_ms: Mapped[int | None] = mapped_column(comment="the other side asked for silence")
    version: Mapped[int]
    created_ms: Mapped[int]
    changed_ms: Mapped[int]


class DeliveryRow(Base):
    """One message to one channel."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(None, "shop_id", "created_ms"),
        Index(None, "shop_id", "channel_id", "created_ms", "id"),
        Index(
            "ix_deliveries_due", "channel_id", "due_ms", postgresql_where=text("due_ms is not null")
        ),
        Index("ix_deliveries_sent", "settled_ms", postgresql_where=text("state = 'sent'")),
        Index("ix_deliveries_pending", "shop_id", postgresql_where=text("state = 'pending'")),
        {
            "comment": "no foreign key: what went over a channel that is gone stays",
        },
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    channel_id: Mapped[str]
    alert_id: Mapped[str | None] = mapped_column(comment="null: a test or a digest")
    step: Mapped[str]
    level: Mapped[str]
    rank: Mapped[int] = mapped_column(SmallInteger, comment="of the level: higher ones go first")
    rule: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(comment="what it says: no buyer, no chat text")
    state: Mapped[str]
    attempt: Mapped[int] = mapped_column(SmallInteger)
    unknown: Mapped[bool] = mapped_column(comment="whether an attempt may have arrived unanswered")
    code: Mapped[str | None] = mapped_column(comment="what the other side said last")
    merged_into: Mapped[str | None] = mapped_column(comment="the digest that tells of it")
    created_ms: Mapped[int]
    due_ms: Mapped[int | None] = mapped_column(
        comment="when it is to be tried or merged; null: nothing is to be done any more"
    )
    settled_ms: Mapped[int | None]
