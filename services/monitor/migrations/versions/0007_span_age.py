"""When a span of wording rules began, so that what no kept message needs can go."""

from typing import Final

from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"


def upgrade() -> None:
    """Let the spans that are there have begun now: they stay a little longer."""
    op.execute(
        "ALTER TABLE monitor.wording_spans"
        " ADD COLUMN begun_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL"
    )
