"""A conversation's place in its group's queue, stored so that an index finds the head (H39).

A process of the release before does not write it: a trigger does for it, and never for one that
does. The queued rows are few and are ranked under the table's lock.
"""

from typing import Final

from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"

STATEMENTS: Final = (
    """
    ALTER TABLE conversation.conversations ADD COLUMN rank_at timestamptz
    """,
    """
    COMMENT ON COLUMN conversation.conversations.rank_at IS 'waiting_since before its tier''s lead'
    """,
    """
    CREATE FUNCTION conversation.rank_conversation() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.rank_at = NEW.waiting_since - NEW.priority * interval '30 seconds';
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER of_the_release_before_inserted BEFORE INSERT ON conversation.conversations
        FOR EACH ROW WHEN (NEW.waiting_since IS NOT NULL AND NEW.rank_at IS NULL)
        EXECUTE FUNCTION conversation.rank_conversation()
    """,
    """
    CREATE TRIGGER of_the_release_before_updated BEFORE UPDATE ON conversation.conversations
        FOR EACH ROW WHEN (NEW.waiting_since IS DISTINCT FROM OLD.waiting_since
            AND NEW.rank_at IS NOT DISTINCT FROM OLD.rank_at)
        EXECUTE FUNCTION conversation.rank_conversation()
    """,
    """
    UPDATE conversation.conversations
        SET rank_at = waiting_since - priority * interval '30 seconds'
        WHERE state = 'queued'
    """,
)


def upgrade() -> None:
    """Add the column; a test compares it with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
