"""An index by which the orders of a whole phone are found."""

from typing import Final

from kit import tables

revision: Final = "0007"
down_revision: Final = "0006"


def upgrade() -> None:
    """Make it beside running writers."""
    tables.index(
        "ix_orders_shop_id_recipient_phone_id", "orders.orders", "shop_id, recipient_phone, id"
    )
