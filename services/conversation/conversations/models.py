"""The tables of conversations and of their steps."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.people import ConversationState, Stage
from services.conversation.tables import Base, Id, Key, OfShop, Small, one_of


class ConversationRow(Base):
    """A conversation as it stands. The checks tie its state to its owner and its wait."""

    __tablename__ = "conversations"
    __table_args__ = (
        CheckConstraint(one_of("state", ConversationState), name="state"),
        CheckConstraint(one_of("stage", Stage), name="stage"),
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
        Index(
            "ix_conversations_queue",
            "shop_id",
            "skill_group_id",
            "rank_at",
            "id",
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_conversations_own",
            "shop_id",
            "preferred_agent_id",
            "rank_at",
            "id",
            postgresql_where=text("state = 'queued' and preferred_agent_id is not null"),
        ),
        Index(
            "ix_conversations_load",
            "shop_id",
            "agent_id",
            postgresql_where=text("state = 'assigned'"),
        ),
        Index(
            "ix_conversations_taken",
            "shop_id",
            "agent_id",
            postgresql_where=text("taken_version = assignment_version and state = 'assigned'"),
        ),
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
    taken_version: Mapped[int | None] = mapped_column(comment="assignment that was taken off duty")
    agent_id: Mapped[Id | None]
    preferred_agent_id: Mapped[Id | None]
    avoided_agent_id: Mapped[Id | None]
    waiting_since: Mapped[datetime | None]
    rank_at: Mapped[datetime | None] = mapped_column(comment="waiting_since before its tier's lead")
    assigned_at: Mapped[datetime | None]
    announced: Mapped[bool]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    swept: Mapped[str | None]
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
