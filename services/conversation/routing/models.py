"""The tables of work items and of decisions."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.work import ORDER
from services.conversation.tables import Base, Id, Key


class WorkItemRow(Base):
    """A piece of work of another service, routed here."""

    __tablename__ = "work_items"
    __table_args__ = (
        Index(
            "ix_work_items_queue",
            "shop_id",
            "skill_group_id",
            "waiting_since",
            "id",
            postgresql_where=text("waiting_since is not null and not settled"),
        ),
        Index(
            "ix_work_items_role",
            "shop_id",
            "role",
            "waiting_since",
            "id",
            postgresql_where=text("waiting_since is not null and not settled and role is not null"),
        ),
        Index(
            "ix_work_items_own",
            "shop_id",
            "previous_agent_id",
            "waiting_since",
            "id",
            postgresql_where=text(
                "waiting_since is not null and not settled and previous_agent_id is not null"
            ),
        ),
        Index(
            "ix_work_items_load",
            "shop_id",
            "agent_id",
            postgresql_where=text("agent_id is not null and not settled"),
        ),
        Index(
            "ix_work_items_beside",
            "shop_id",
            "senior_id",
            postgresql_where=text("senior_id is not null and not settled"),
        ),
        Index(
            "ix_work_items_of_senior",
            "senior_id",
            "id",
            postgresql_where=text("senior_id is not null and not settled"),
        ),
        Index(
            "ix_work_items_overdue",
            "shop_id",
            "due_at",
            "id",
            postgresql_where=text(
                "level > 0 and agent_id is not null and senior_id is null and not settled"
                " and coalesce(role, 'senior') = 'senior'"
            ),
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
    subject_kind: Mapped[str] = mapped_column(server_default=ORDER)
    subject_id: Mapped[str | None] = mapped_column(comment="the order, where none was told")
    order_id: Mapped[str | None]
    buyer_id: Mapped[str | None]
    role: Mapped[str | None] = mapped_column(comment="who alone may have it")
    skill_group_id: Mapped[Id | None]
    due_at: Mapped[datetime]
    waiting_since: Mapped[datetime | None]
    agent_id: Mapped[Id | None]
    previous_agent_id: Mapped[Id | None]
    version: Mapped[int]
    settled: Mapped[bool]
    level: Mapped[int] = mapped_column(server_default="0", comment="how often it escalated")
    owner_version: Mapped[int] = mapped_column(
        server_default="0", comment="the newest word of its owner"
    )
    senior_id: Mapped[Id | None] = mapped_column(comment="holds it beside the agent")


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
