"""The monitor's tables (schema `monitor`). Must not know how figures are judged.

Times are milliseconds since 1970 where they come from the fold, because the fold is exact in them.
"""

from datetime import date, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kit import tables

METADATA: Final = tables.metadata("monitor")

OUTBOX: Final = tables.outbox(METADATA)
POSITIONS: Final = tables.positions(METADATA)
GENERATIONS: Final = tables.generations(METADATA)


class Base(DeclarativeBase):
    """Text is `text`, counts and times are `bigint`, moments carry a time zone."""

    metadata = METADATA
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text()),
        list[dict[str, Any]]: JSONB(),
        dict[str, Any]: JSONB(),
    }


class PartitionRow(Base):
    """How far a partition of the chat log is folded, in log time."""

    __tablename__ = "partitions"

    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    watermark_ms: Mapped[int] = mapped_column(comment="newest log time folded")
    caught_up_ms: Mapped[int] = mapped_column(comment="last seen folded to the end")


class ConversationRow(Base):
    """A conversation's state between two batches, and what boards ask of it."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index(None, "generation", "partition"),
        Index(
            "ix_conversations_live",
            "shop_id",
            postgresql_where=text("open or oldest_round_ms is not null"),
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
    forget_ms: Mapped[int | None] = mapped_column(comment="log time after which the row may go")
    state: Mapped[bytes] = mapped_column(comment="services.monitor.rounds.Conversation")


class RoundRow(Base):
    """A round that ended, judged when it did. Its name is where it opened in the log."""

    __tablename__ = "rounds"
    __table_args__ = (Index(None, "shop_id", "opened_ms"),)

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


class SessionRow(Base):
    """A rule session that is settled, judged when it was."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "shop_id", "started_ms"),)

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


class TrafficRow(Base):
    """Messages and flags of a shop's day in one partition."""

    __tablename__ = "traffic"
    __table_args__ = (Index(None, "shop_id", "day"), Index(None, "day"))

    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    shop_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    buyer_messages: Mapped[int]
    agent_messages: Mapped[int]
    other_messages: Mapped[int]
    flags_agent: Mapped[int]
    flags_buyer: Mapped[int]
    as_of_ms: Mapped[int] = mapped_column(comment="newest event of the shop")
    revision: Mapped[int] = mapped_column(comment="next offset when last touched")


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


class AgentRow(Base):
    """An agent as the topic `staff` told of him last."""

    __tablename__ = "agents"
    __table_args__ = (Index(None, "shop_id"),)

    agent_id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    state: Mapped[str]
    since: Mapped[datetime]
    version: Mapped[int]


class FiringRow(Base):
    """A waiting threshold that was passed and told."""

    __tablename__ = "firings"
    __table_args__ = ({"comment": "thresholds that fired, each once (H21)"},)

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True)
    waiting_offset: Mapped[int] = mapped_column(primary_key=True)
    profile: Mapped[str] = mapped_column(primary_key=True)
    threshold_s: Mapped[int] = mapped_column(Integer, primary_key=True)
    shop_id: Mapped[str]
    conversation_id: Mapped[str]
    due_ms: Mapped[int]
    late_ms: Mapped[int]
