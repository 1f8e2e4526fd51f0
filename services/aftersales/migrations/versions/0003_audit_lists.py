"""Indexes for the audit as its shop reads it: by who did it, on which object, by action."""

from typing import Final

from kit import tables

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Make them beside running writers."""
    for column in ("actor_id", "object_id", "action"):
        columns = f"shop_id, {column}, id"
        tables.index(f"ix_audit_shop_id_{column}_id", "aftersales.audit", columns)
