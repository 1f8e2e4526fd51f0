"""How far people have read: the greatest place for each in each conversation."""

from typing import Final

from alembic import op

revision: Final = "0024"
down_revision: Final = "0023"


def upgrade() -> None:
    """Make the table; a test compares it with the model."""
    op.execute(
        """
        CREATE TABLE conversation.read_markers (
            conversation_id UUID NOT NULL,
            person_id UUID NOT NULL,
            generation SMALLINT NOT NULL,
            log_offset BIGINT NOT NULL,
            CONSTRAINT pk_read_markers PRIMARY KEY (conversation_id, person_id)
        )
        """
    )
