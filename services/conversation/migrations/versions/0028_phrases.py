"""Quick replies: a list for each person, and one for the shop."""

from typing import Final

from alembic import op

revision: Final = "0028"
down_revision: Final = "0026"

STATEMENTS: Final = (
    """
    CREATE TABLE conversation.phrase_lists (
        shop_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        version INTEGER NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_phrase_lists PRIMARY KEY (shop_id, owner),
        CONSTRAINT fk_phrase_lists_shop_id_shops
            FOREIGN KEY (shop_id) REFERENCES conversation.shops (id)
    )
    """,
    """
    COMMENT ON COLUMN conversation.phrase_lists.owner IS '`shop`, or a person''s id'
    """,
    """
    CREATE TABLE conversation.phrases (
        id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        place SMALLINT NOT NULL,
        title TEXT NOT NULL,
        words TEXT NOT NULL,
        uses INTEGER DEFAULT '0' NOT NULL,
        CONSTRAINT pk_phrases PRIMARY KEY (id),
        CONSTRAINT fk_phrases_shop_id_shops
            FOREIGN KEY (shop_id) REFERENCES conversation.shops (id)
    )
    """,
    """
    COMMENT ON COLUMN conversation.phrases.uses IS 'how often it was taken'
    """,
    """
    CREATE INDEX ix_phrases_shop_id_owner_place ON conversation.phrases (shop_id, owner, place)
    """,
)


def upgrade() -> None:
    """Make the tables; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
