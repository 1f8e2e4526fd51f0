"""An index of the work that seniors hold beside its agents: little of all work, ever."""

from typing import Final

from kit import tables

revision: Final = "0007"
down_revision: Final = "0006"


def upgrade() -> None:
    """Make it beside running writers."""
    tables.index(
        "ix_work_items_of_seniors",
        "aftersales.work_items",
        "shop_id, senior_id, opened_at, id",
        where="senior_id IS NOT NULL",
    )
