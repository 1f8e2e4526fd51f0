"""Indexes by which buyers are found: by the beginning of a name, and by a whole phone."""

from typing import Final

from kit import tables

revision: Final = "0037"
down_revision: Final = "0033"


def upgrade() -> None:
    """Make them beside running writers."""
    tables.index("ix_buyers_name", "conversation.buyers", "shop_id, name text_pattern_ops, id")
    tables.index("ix_buyers_phone", "conversation.buyers", "shop_id, phone", where="phone <> ''")
