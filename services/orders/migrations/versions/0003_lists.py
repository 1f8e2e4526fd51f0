"""Indexes for the lists of orders: of a shop by state, and of a buyer."""

from typing import Final

from kit import tables

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Make them beside running writers."""
    tables.index("ix_orders_shop_id_state_id", "orders.orders", "shop_id, state, id")
    tables.index(
        "ix_orders_shop_id_buyer_id_id",
        "orders.orders",
        "shop_id, buyer_id, id",
        instead_of=["ix_orders_buyer_id_id"],
    )
