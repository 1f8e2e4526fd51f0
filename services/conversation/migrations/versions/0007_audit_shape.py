"""The audit gets the shape that it has in every service; what stands in it keeps its meaning.

A process of the release before still writes `role` and `reason`, and only these: a trigger puts
them where they are read from now on. Refusals used to stand in the shop of who was refused, and
those rows stay there.

The rows are copied under the table's lock. Few are written: what leaders do about their shop, and
refusals, of which a caller causes one a second at most.
"""

from typing import Final

from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"

STATEMENTS: Final = (
    """
    ALTER TABLE conversation.audit
        ADD COLUMN actor_role TEXT,
        ADD COLUMN actor_shop_id TEXT,
        ADD COLUMN note TEXT DEFAULT '' NOT NULL,
        ALTER COLUMN role DROP NOT NULL
    """,
    """
    COMMENT ON COLUMN conversation.audit.shop_id IS 'the object''s shop, whose business it is'
    """,
    """
    ALTER TABLE conversation.audit DISABLE TRIGGER append_only
    """,
    """
    UPDATE conversation.audit
        SET actor_role = role, actor_shop_id = shop_id, note = coalesce(reason, '')
    """,
    """
    ALTER TABLE conversation.audit ENABLE TRIGGER append_only
    """,
    """
    CREATE FUNCTION conversation.shape_audit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.actor_role = NEW.role;
        NEW.actor_shop_id = NEW.shop_id;
        NEW.note = coalesce(NEW.reason, '');
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER of_the_release_before BEFORE INSERT ON conversation.audit
        FOR EACH ROW WHEN (NEW.actor_role IS NULL)
        EXECUTE FUNCTION conversation.shape_audit()
    """,
    """
    ALTER TABLE conversation.audit
        ALTER COLUMN actor_role SET NOT NULL,
        ALTER COLUMN actor_shop_id SET NOT NULL
    """,
)


def upgrade() -> None:
    """Change the table; a test compares it with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
