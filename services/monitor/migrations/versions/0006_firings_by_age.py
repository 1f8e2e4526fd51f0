"""An index by which old firings are found, and those of a stretch of time."""

from typing import Final

from kit import tables

revision: Final = "0006"
down_revision: Final = "0005"


def upgrade() -> None:
    """Make it beside running writers."""
    tables.index("ix_firings_shop_id_due_ms", "monitor.firings", "shop_id, due_ms")
