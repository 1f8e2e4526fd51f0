"""The table of work items. Knows no rule."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.aftersales.tables import Base


class WorkItemRow(Base):
    """Work for an agent; the conversation service says who has it."""

    __tablename__ = "work_items"
    __table_args__ = (
        UniqueConstraint("order_id", "kind", "attempt"),
        Index(None, "shop_id", "opened_at", "id"),
        Index(None, "shop_id", "state", "opened_at", "id"),
        Index(None, "shop_id", "agent_id", "opened_at", "id"),
        Index(None, "shop_id", "agent_id", "state", "opened_at", "id"),
        Index(
            "ix_work_items_of_seniors",
            "shop_id",
            "senior_id",
            "opened_at",
            "id",
            postgresql_where="senior_id is not null",
        ),
        CheckConstraint("state in ('open', 'settled')", name="state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str]
    order_id: Mapped[str]
    buyer_id: Mapped[str]
    kind: Mapped[str]
    attempt: Mapped[int]
    state: Mapped[str]
    outcome: Mapped[str | None]
    agent_id: Mapped[str | None]
    senior_id: Mapped[str | None]
    assignment_version: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime]
    level: Mapped[int] = mapped_column(server_default="0", comment="how often it escalated")
    opened_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
