"""Finds staff whose entry in the directory tells less than that of this release."""

from typing import Final

from kit import tables

revision: Final = "0041"
down_revision: Final = "0040"


def upgrade() -> None:
    """Build the index while others write; a test compares it with the models."""
    tables.index("ix_staff_listed_before", "conversation.staff", "id", where="listed_form < 2")
