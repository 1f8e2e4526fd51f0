"""Indexes for seniors: their load, their inbox, overdue work that its holder alone has (B42)."""

from typing import Final

from kit import tables

revision: Final = "0019"
down_revision: Final = "0018"


def upgrade() -> None:
    """Make them beside running writers."""
    work, beside = "conversation.work_items", "senior_id is not null and not settled"
    tables.index("ix_work_items_beside", work, "shop_id, senior_id", where=beside)
    tables.index("ix_work_items_of_senior", work, "senior_id, id", where=beside)
    tables.index(
        "ix_work_items_overdue",
        work,
        "shop_id, due_at, id",
        where="level > 0 and agent_id is not null and senior_id is null and not settled"
        " and coalesce(role, 'senior') = 'senior'",
    )
