"""Notes among what is archived: what a record without a sender may be is said anew."""

from typing import Final

from alembic import op

revision: Final = "0033"
down_revision: Final = "0032"


def upgrade() -> None:
    """Say it; no row changes."""
    op.execute(
        "comment on column conversation.messages.sender_kind is 'null: a lifecycle event or a note'"
    )
