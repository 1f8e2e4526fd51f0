"""A shop's own waits, dated: until now settings of the process."""

from typing import Final

from alembic import op

revision: Final = "0014"
down_revision: Final = "0013"


def upgrade() -> None:
    """Make the table; a test compares it with the model."""
    op.execute(
        """
        CREATE TABLE conversation.timings (
            shop_id TEXT NOT NULL,
            since timestamptz NOT NULL,
            reopen_gap_s INTEGER NOT NULL,
            idle_close_s INTEGER NOT NULL,
            abandon_s INTEGER NOT NULL,
            silence_s INTEGER NOT NULL,
            overflow_s INTEGER NOT NULL,
            CONSTRAINT pk_timings PRIMARY KEY (shop_id, since),
            CONSTRAINT fk_timings_shop_id FOREIGN KEY(shop_id) REFERENCES conversation.shops (id)
        )
        """
    )
