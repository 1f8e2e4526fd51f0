"""Which version of its intake secret a shop has come to; no row is version 0."""

from typing import Final

from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Make the table; every shop's secret stays what it was."""
    op.execute(
        """
        CREATE TABLE orders.intake_secrets (
            shop_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            rotated_at timestamptz DEFAULT now() NOT NULL,
            CONSTRAINT pk_intake_secrets PRIMARY KEY (shop_id)
        )
        """
    )
