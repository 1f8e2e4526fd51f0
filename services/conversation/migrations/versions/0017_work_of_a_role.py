"""The queue of work that only people of one role may have."""

from typing import Final

from kit import tables

revision: Final = "0017"
down_revision: Final = "0016"


def upgrade() -> None:
    """Make it beside running writers."""
    tables.index(
        "ix_work_items_role",
        "conversation.work_items",
        "shop_id, role, waiting_since, id",
        where="waiting_since is not null and not settled and role is not null",
    )
