"""The tables of schema `conversation`. Knows columns and constraints, no query.

Ids that PeakDesk makes are UUIDs and are stored as such; the shop scope `platform` is none, so shop
ids are text. Bodies of archived records are text, exactly as they stood in the log.
"""

from typing import Final

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

from contracts.people import AgentState, ConversationState, Role, Stage
from kit import tables

METADATA: Final = tables.metadata("conversation")

outbox = tables.outbox(METADATA)
inbox = tables.inbox(METADATA)
idempotency = tables.idempotency(METADATA)
marks = tables.marks(METADATA)
generations = tables.generations(METADATA)


def _id(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[str]:
    return Column(name, Uuid(as_uuid=False), primary_key=primary_key, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _one_of(column: str, values: type[Role | AgentState | ConversationState | Stage]) -> str:
    return f"{column} in ({', '.join(repr(str(value)) for value in values)})"


shops = Table(
    "shops",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("secret_version", Integer, nullable=False, server_default=text("1")),
    Column("policy", JSONB, nullable=False, server_default=text("'{}'")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

skill_groups = Table(
    "skill_groups",
    METADATA,
    _id("id", primary_key=True),
    Column("shop_id", Text, ForeignKey("conversation.shops.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
)
Index(None, skill_groups.c.shop_id, skill_groups.c.code, unique=True)

staff = Table(
    "staff",
    METADATA,
    _id("id", primary_key=True),
    Column("shop_id", Text, ForeignKey("conversation.shops.id"), nullable=False),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("capacity", SmallInteger, nullable=False),
    _at("not_before"),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("state", Text, nullable=False, server_default=text("'offline'")),
    _at("state_since", nullable=True),
    Column("state_version", Integer, nullable=False, server_default=text("0")),
    Column("resume_state", Text, nullable=True),
    _at("last_assigned_at", nullable=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint(_one_of("role", Role), name="role"),
    CheckConstraint(_one_of("state", AgentState), name="state"),
    CheckConstraint("capacity between 0 and 200", name="capacity"),
)
Index(None, staff.c.shop_id, staff.c.id)
Index(
    "ix_staff_to_watch",
    staff.c.id,
    postgresql_where=text("active and (state <> 'offline' or resume_state is not null)"),
)

staff_skills = Table(
    "staff_skills",
    METADATA,
    Column(
        "staff_id",
        Uuid(as_uuid=False),
        ForeignKey("conversation.staff.id", ondelete="cascade"),
        primary_key=True,
    ),
    Column(
        "skill_group_id",
        Uuid(as_uuid=False),
        ForeignKey("conversation.skill_groups.id", ondelete="cascade"),
        primary_key=True,
    ),
)

staff_origins = Table(
    "staff_origins",
    METADATA,
    Column(
        "staff_id",
        Uuid(as_uuid=False),
        ForeignKey("conversation.staff.id", ondelete="cascade"),
        primary_key=True,
    ),
    Column(
        "origin",
        Uuid(as_uuid=False),
        primary_key=True,
        comment="derived from staff id and address",
    ),
    _at("seen_at"),
)
Index(None, staff_origins.c.seen_at)

buyers = Table(
    "buyers",
    METADATA,
    _id("id", primary_key=True),
    Column("shop_id", Text, ForeignKey("conversation.shops.id"), nullable=False),
    Column("external_id", Text, nullable=True),
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False, server_default=text("''")),
    Column("address", Text, nullable=False, server_default=text("''")),
    Column("tier", SmallInteger, nullable=False, server_default=text("0")),
    _at("not_before"),
    Column("version", Integer, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("tier between 0 and 9", name="tier"),
)
Index(None, buyers.c.shop_id, buyers.c.external_id, unique=True)

refresh_tokens = Table(
    "refresh_tokens",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    _id("family"),
    _id("subject"),
    Column("kind", Text, nullable=False),
    _at("expires_at"),
    _at("used_at", nullable=True),
    _at("created_at", nullable=True),
    CheckConstraint("kind in ('staff', 'buyer')", name="kind"),
)
Index(None, refresh_tokens.c.family)
Index(None, refresh_tokens.c.subject)
Index(None, refresh_tokens.c.expires_at)

conversations = Table(
    "conversations",
    METADATA,
    _id("id", primary_key=True),
    Column("shop_id", Text, ForeignKey("conversation.shops.id"), nullable=False),
    _id("buyer_id"),
    _id("skill_group_id"),
    Column("state", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("assignment_version", Integer, nullable=False),
    _id("agent_id", nullable=True),
    _id("preferred_agent_id", nullable=True),
    _id("avoided_agent_id", nullable=True),
    _at("waiting_since", nullable=True),
    _at("assigned_at", nullable=True),
    Column("announced", Boolean, nullable=False),
    _at("opened_at"),
    _at("closed_at", nullable=True),
    Column("priority", SmallInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("order_id", Text, nullable=True),
    Column("score", SmallInteger, nullable=True),
    CheckConstraint(_one_of("state", ConversationState), name="state"),
    CheckConstraint(_one_of("stage", Stage), name="stage"),
    CheckConstraint("(state = 'assigned') = (agent_id is not null)", name="owner"),
    CheckConstraint("(state = 'queued') = (waiting_since is not null)", name="waiting"),
    CheckConstraint("score between 1 and 5", name="score"),
)
Index(None, conversations.c.shop_id, conversations.c.opened_at, conversations.c.id)
Index(
    None,
    conversations.c.shop_id,
    conversations.c.state,
    conversations.c.opened_at,
    conversations.c.id,
)
Index(
    None,
    conversations.c.buyer_id,
    conversations.c.shop_id,
    conversations.c.opened_at,
    conversations.c.id,
)
Index(
    "uq_conversations_open",
    conversations.c.shop_id,
    conversations.c.buyer_id,
    unique=True,
    postgresql_where=text("state <> 'closed'"),
)
Index(
    "ix_conversations_waiting",
    conversations.c.shop_id,
    postgresql_where=text("state = 'queued'"),
)
Index(
    "ix_conversations_of_agent",
    conversations.c.agent_id,
    conversations.c.shop_id,
    conversations.c.opened_at,
    conversations.c.id,
    postgresql_where=text("state = 'assigned'"),
)

stage_moves = Table(
    "stage_moves",
    METADATA,
    _id("conversation_id", primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("shop_id", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("stage", Text, nullable=False),
    _id("agent_id", nullable=True),
    _at("at"),
)
Index(None, stage_moves.c.shop_id, stage_moves.c.at)

work_items = Table(
    "work_items",
    METADATA,
    _id("id", primary_key=True),
    Column("shop_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("buyer_id", Text, nullable=False),
    _id("skill_group_id", nullable=True),
    _at("due_at"),
    _at("waiting_since", nullable=True),
    _id("agent_id", nullable=True),
    _id("previous_agent_id", nullable=True),
    Column("version", Integer, nullable=False),
    Column("settled", Boolean, nullable=False),
)
Index(
    "ix_work_items_waiting",
    work_items.c.shop_id,
    postgresql_where=text("waiting_since is not null and not settled"),
)
Index(
    "ix_work_items_of_agent",
    work_items.c.agent_id,
    work_items.c.id,
    postgresql_where=text("agent_id is not null and not settled"),
)

decisions = Table(
    "decisions",
    METADATA,
    _id("id", primary_key=True),
    Column("shop_id", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    _id("subject_id"),
    _at("at"),
    Column("trigger", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _id("agent_id", nullable=True),
    Column("candidates", JSONB, nullable=False, comment="agents as routing saw them"),
    CheckConstraint("subject_kind in ('conversation', 'work')", name="subject_kind"),
)
Index(None, decisions.c.subject_id, decisions.c.at)

messages = Table(
    "messages",
    METADATA,
    _id("message_id", primary_key=True),
    _id("conversation_id"),
    Column("generation", SmallInteger, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("log_offset", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False, comment="receive time at the gateway"),
    Column("sender_kind", Text, nullable=True, comment="null: a lifecycle event"),
    Column("body_hash", Text, nullable=True),
    Column("body", Text, nullable=False, comment="the record's JSON, as it stood in the log"),
    Column("late", Boolean, nullable=False, server_default=text("false")),
    Column("archived_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index(
    "ix_messages_history",
    messages.c.conversation_id,
    messages.c.generation,
    messages.c.log_offset,
)

id_conflicts = Table(
    "id_conflicts",
    METADATA,
    Column("generation", SmallInteger, primary_key=True),
    Column("partition", SmallInteger, primary_key=True),
    Column("log_offset", BigInteger, primary_key=True),
    _id("message_id"),
    Column("body_hash", Text, nullable=False),
    Column("first_hash", Text, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index(None, id_conflicts.c.message_id)

audit = Table(
    "audit",
    METADATA,
    _id("id", primary_key=True),
    _at("at"),
    Column("shop_id", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("reason", Text, nullable=True),
)
Index(None, audit.c.shop_id, audit.c.at)
