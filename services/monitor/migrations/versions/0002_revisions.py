"""Indexes for the question which shops' boards have changed, asked twice a second.

Neither holds a column that a fold updates: `traffic` goes on being updated in place.
"""

from typing import Final

from kit import tables

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Make them beside running writers."""
    tables.index("ix_traffic_day", "monitor.traffic", "day")
    tables.index("ix_incidents_held_ms_shop_id", "monitor.incidents", "held_ms, shop_id")
