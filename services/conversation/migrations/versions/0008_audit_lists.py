"""Indexes for the audit as its shop reads it: all, by who did it, on which object, by action."""

from typing import Final

from kit import tables

revision: Final = "0008"
down_revision: Final = "0007"


def upgrade() -> None:
    """Make them beside running writers."""
    audit = "conversation.audit"
    tables.index("ix_audit_shop_id_id", audit, "shop_id, id", instead_of=["ix_audit_shop_id_at"])
    for column in ("actor_id", "object_id", "action"):
        tables.index(f"ix_audit_shop_id_{column}_id", audit, f"shop_id, {column}, id")
