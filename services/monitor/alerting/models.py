"""Alerts that stand or stood, and what leaders do not want to hear for a while."""

from typing import Any

from sqlalchemy import Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base


class AlertRow(Base):
    """One alert, from its opening until it is over; what comes then is another."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(None, "shop_id", "opened_ms", "id"),
        Index(
            "uq_alerts_standing",
            "shop_id",
            "rule",
            "rule_version",
            "object_id",
            unique=True,
            postgresql_where=text("resolved_ms is null"),
        ),
        Index("ix_alerts_quiet", "quiet_ms", postgresql_where=text("resolved_ms is null")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    rule: Mapped[str]
    rule_version: Mapped[int]
    title: Mapped[dict[str, Any]] = mapped_column(comment="the rule's, by language")
    source: Mapped[str] = mapped_column(comment="what the rule is over")
    object_id: Mapped[str] = mapped_column(comment="a conversation, an agent, a channel, the shop")
    conversation_id: Mapped[str | None]
    agent_id: Mapped[str | None]
    level: Mapped[str]
    state: Mapped[str]
    count: Mapped[int]
    value: Mapped[int | None]
    stage: Mapped[int] = mapped_column(SmallInteger, comment="how often it escalated")
    flapping: Mapped[bool]
    opened_ms: Mapped[int]
    last_ms: Mapped[int]
    told_ms: Mapped[int]
    quiet_ms: Mapped[int] = mapped_column(comment="when it is looked at, if nothing comes again")
    acknowledged_ms: Mapped[int | None]
    resolved_ms: Mapped[int | None]


class MuteRow(Base):
    """What is stored and not told for a while."""

    __tablename__ = "mutes"
    __table_args__ = (Index(None, "shop_id", "until_ms"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    rule: Mapped[str]
    object_id: Mapped[str | None] = mapped_column(comment="null: whatever the rule is about")
    until_ms: Mapped[int]
    reason: Mapped[str]
    person_id: Mapped[str]
    name: Mapped[str]
    created_ms: Mapped[int]
