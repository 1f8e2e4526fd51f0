"""Rounds, sessions and their totals. Must not know how they are judged."""

from datetime import date
from typing import Any, Final

from sqlalchemy import Index, Integer, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from services.monitor.tables import Base

PROVISIONAL: Final = "unstaffed is null and rules = 2"
UNSTAFFED: Final = "all agents of the shop were away at its begin; null: not known"
READINGS: Final = "all that see it alike; the first is its name"
RULES: Final = "1: made before states were kept by reading, and older than the log"


class RoundRow(Base):
    """A round that ended, judged when it did. Its name is where it opened in the log."""

    __tablename__ = "rounds"
    __table_args__ = (
        Index(None, "shop_id", "opened_ms"),
        Index("ix_rounds_provisional", "opened_ms", postgresql_where=text(PROVISIONAL)),
    )

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    reading: Mapped[str] = mapped_column(primary_key=True)
    opened_offset: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    conversation_id: Mapped[str]
    buyer_id: Mapped[str]
    agent_id: Mapped[str | None]
    day: Mapped[date] = mapped_column(comment="local day on which the round opened")
    opened_ms: Mapped[int]
    closed_ms: Mapped[int]
    waiting_since_ms: Mapped[int]
    outcome: Mapped[str]
    born_offset: Mapped[int]
    judged: Mapped[dict[str, Any]] = mapped_column(
        comment="{profile: [rounds, round_ms, unanswered, within, slow]}"
    )
    settled_offset: Mapped[int | None] = mapped_column(comment="the record that settled it")
    session_offset: Mapped[int | None] = mapped_column(comment="where its session started")
    unstaffed: Mapped[bool | None] = mapped_column(comment=UNSTAFFED)
    readings: Mapped[list[str]] = mapped_column(comment=READINGS)
    rules: Mapped[int] = mapped_column(SmallInteger, comment=RULES)


class SessionRow(Base):
    """A rule session that is settled, judged when it was."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index(None, "shop_id", "started_ms"),
        Index("ix_sessions_provisional", "started_ms", postgresql_where=text(PROVISIONAL)),
    )

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    reading: Mapped[str] = mapped_column(primary_key=True)
    started_offset: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    conversation_id: Mapped[str]
    buyer_id: Mapped[str]
    agent_id: Mapped[str | None]
    day: Mapped[date] = mapped_column(comment="local day on which the session started")
    started_ms: Mapped[int] = mapped_column(comment="anchor buyer_first_msg")
    to_human_ms: Mapped[int] = mapped_column(comment="anchor to_human")
    assigned_ms: Mapped[int | None] = mapped_column(comment="anchor assigned")
    replied_ms: Mapped[int | None]
    born_offset: Mapped[int]
    judged: Mapped[dict[str, Any]] = mapped_column(
        comment="{profile: [sessions, first_responses, first_response_ms, first_within]}"
    )
    settled_offset: Mapped[int | None] = mapped_column(comment="the record that settled it")
    unstaffed: Mapped[bool | None] = mapped_column(comment=UNSTAFFED)
    readings: Mapped[list[str]] = mapped_column(comment=READINGS)
    rules: Mapped[int] = mapped_column(SmallInteger, comment=RULES)


class CounterRow(Base):
    """Totals of a day by profile and agent, as one partition's rounds and sessions add up."""

    __tablename__ = "counters"
    __table_args__ = (
        Index(None, "shop_id", "day"),
        {"comment": "one row per owner of a partition, summed on read (H19)"},
    )

    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    shop_id: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    agent_id: Mapped[str] = mapped_column(primary_key=True, comment="empty: nobody owned it")
    rounds: Mapped[int]
    round_ms: Mapped[int]
    unanswered: Mapped[int]
    within: Mapped[int]
    slow: Mapped[int]
    sessions: Mapped[int]
    first_responses: Mapped[int]
    first_response_ms: Mapped[int]
    first_within: Mapped[int]
