"""The tables of schema `conversation`. Knows columns and constraints, no query.

Ids that PeakDesk makes are UUIDs and are stored as such; the shop scope `platform` is none, so shop
ids are text. Bodies of archived records are text, exactly as they stood in the log.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

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


def _one_of(column: str, values: type[Role | AgentState | ConversationState | Stage]) -> str:
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


class ShopRow(Base):
    """A tenant, with what it decides about wording."""

    __tablename__ = "shops"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    time_zone: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    secret_version: Mapped[int] = mapped_column(server_default=text("1"))
    policy: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[Made]


class SkillGroupRow(Base):
    """A specialised group of a shop's agents (C1)."""

    __tablename__ = "skill_groups"
    __table_args__ = (Index(None, "shop_id", "code", unique=True),)

    id: Mapped[Key]
    shop_id: Mapped[OfShop]
    code: Mapped[str]
    name: Mapped[str]


class StaffRow(Base):
    """A member of staff, and whether he is at his desk."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint(_one_of("role", Role), name="role"),
        CheckConstraint(_one_of("state", AgentState), name="state"),
        CheckConstraint("capacity between 0 and 200", name="capacity"),
        Index(None, "shop_id", "id"),
        Index(
            "ix_staff_to_watch",
            "id",
            postgresql_where=text("active and (state <> 'offline' or resume_state is not null)"),
        ),
    )

    id: Mapped[Key]
    shop_id: Mapped[OfShop]
    login: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    capacity: Mapped[Small]
    not_before: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    state: Mapped[str] = mapped_column(server_default=text("'offline'"))
    state_since: Mapped[datetime | None]
    state_version: Mapped[int] = mapped_column(server_default=text("0"))
    resume_state: Mapped[str | None]
    last_assigned_at: Mapped[datetime | None]
    created_at: Mapped[Made]


class StaffSkillRow(Base):
    """That a member of staff belongs to a skill group."""

    __tablename__ = "staff_skills"

    staff_id: Mapped[Key] = mapped_column(ForeignKey("conversation.staff.id", ondelete="cascade"))
    skill_group_id: Mapped[Key] = mapped_column(
        ForeignKey("conversation.skill_groups.id", ondelete="cascade")
    )


class StaffOriginRow(Base):
    """From where a member of staff has signed in."""

    __tablename__ = "staff_origins"
    __table_args__ = (Index(None, "seen_at"),)

    staff_id: Mapped[Key] = mapped_column(ForeignKey("conversation.staff.id", ondelete="cascade"))
    origin: Mapped[Key] = mapped_column(comment="derived from staff id and address")
    seen_at: Mapped[datetime]


class BuyerRow(Base):
    """A buyer of one shop, or a visitor, who has no external id."""

    __tablename__ = "buyers"
    __table_args__ = (
        CheckConstraint("tier between 0 and 9", name="tier"),
        Index(None, "shop_id", "external_id", unique=True),
    )

    id: Mapped[Key]
    shop_id: Mapped[OfShop]
    external_id: Mapped[str | None]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(server_default=text("''"))
    address: Mapped[str] = mapped_column(server_default=text("''"))
    tier: Mapped[Small] = mapped_column(server_default=text("0"))
    not_before: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[Made]


class RefreshTokenRow(Base):
    """A refresh token, by its hash. Tokens of one login form a family."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        CheckConstraint("kind in ('staff', 'buyer')", name="kind"),
        Index(None, "family"),
        Index(None, "subject"),
        Index(None, "expires_at"),
    )

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    family: Mapped[Id]
    subject: Mapped[Id]
    kind: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None]


class ConversationRow(Base):
    """A conversation as it stands. The checks tie its state to its owner and its wait."""

    __tablename__ = "conversations"
    __table_args__ = (
        CheckConstraint(_one_of("state", ConversationState), name="state"),
        CheckConstraint(_one_of("stage", Stage), name="stage"),
        CheckConstraint("(state = 'assigned') = (agent_id is not null)", name="owner"),
        CheckConstraint("(state = 'queued') = (waiting_since is not null)", name="waiting"),
        CheckConstraint("score between 1 and 5", name="score"),
        Index(None, "shop_id", "opened_at", "id"),
        Index(None, "shop_id", "state", "opened_at", "id"),
        Index(None, "buyer_id", "shop_id", "opened_at", "id"),
        Index(
            "uq_conversations_open",
            "shop_id",
            "buyer_id",
            unique=True,
            postgresql_where=text("state <> 'closed'"),
        ),
        Index("ix_conversations_waiting", "shop_id", postgresql_where=text("state = 'queued'")),
        Index(
            "ix_conversations_of_agent",
            "agent_id",
            "shop_id",
            "opened_at",
            "id",
            postgresql_where=text("state = 'assigned'"),
        ),
    )

    id: Mapped[Key]
    shop_id: Mapped[OfShop]
    buyer_id: Mapped[Id]
    skill_group_id: Mapped[Id]
    state: Mapped[str]
    stage: Mapped[str]
    version: Mapped[int]
    assignment_version: Mapped[int]
    agent_id: Mapped[Id | None]
    preferred_agent_id: Mapped[Id | None]
    avoided_agent_id: Mapped[Id | None]
    waiting_since: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    announced: Mapped[bool]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    priority: Mapped[Small]
    subject: Mapped[str]
    order_id: Mapped[str | None]
    score: Mapped[Small | None]


class StageMoveRow(Base):
    """A step of the reception pipeline, for the funnel (C4)."""

    __tablename__ = "stage_moves"
    __table_args__ = (Index(None, "shop_id", "at"),)

    conversation_id: Mapped[Key]
    version: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    previous: Mapped[str]
    stage: Mapped[str]
    agent_id: Mapped[Id | None]
    at: Mapped[datetime]


class WorkItemRow(Base):
    """A piece of work of another service, routed here."""

    __tablename__ = "work_items"
    __table_args__ = (
        Index(
            "ix_work_items_waiting",
            "shop_id",
            postgresql_where=text("waiting_since is not null and not settled"),
        ),
        Index(
            "ix_work_items_of_agent",
            "agent_id",
            "id",
            postgresql_where=text("agent_id is not null and not settled"),
        ),
    )

    id: Mapped[Key]
    shop_id: Mapped[str]
    kind: Mapped[str]
    order_id: Mapped[str]
    buyer_id: Mapped[str]
    skill_group_id: Mapped[Id | None]
    due_at: Mapped[datetime]
    waiting_since: Mapped[datetime | None]
    agent_id: Mapped[Id | None]
    previous_agent_id: Mapped[Id | None]
    version: Mapped[int]
    settled: Mapped[bool]


class DecisionRow(Base):
    """Whom routing chose, and why (C1)."""

    __tablename__ = "decisions"
    __table_args__ = (
        CheckConstraint("subject_kind in ('conversation', 'work')", name="subject_kind"),
        Index(None, "subject_id", "at"),
    )

    id: Mapped[Key]
    shop_id: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[Id]
    at: Mapped[datetime]
    trigger: Mapped[str]
    reason: Mapped[str]
    agent_id: Mapped[Id | None]
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(comment="agents as routing saw them")


class MessageRow(Base):
    """A record of the chat log, each message id once (H1)."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_history", "conversation_id", "generation", "log_offset"),)

    message_id: Mapped[Key]
    conversation_id: Mapped[Id]
    generation: Mapped[Small]
    partition: Mapped[Small]
    log_offset: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str]
    time: Mapped[datetime] = mapped_column(comment="receive time at the gateway")
    sender_kind: Mapped[str | None] = mapped_column(comment="null: a lifecycle event")
    body_hash: Mapped[str | None]
    body: Mapped[str] = mapped_column(comment="the record's JSON, as it stood in the log")
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    archived_at: Mapped[Made]


class IdConflictRow(Base):
    """A record whose message id was taken by another body (H3)."""

    __tablename__ = "id_conflicts"
    __table_args__ = (Index(None, "message_id"),)

    generation: Mapped[SmallKey]
    partition: Mapped[SmallKey]
    log_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    message_id: Mapped[Id]
    body_hash: Mapped[str]
    first_hash: Mapped[str]
    seen_at: Mapped[Made]
