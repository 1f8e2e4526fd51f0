"""Pictures, as they were made anew."""

from typing import Final

from alembic import op

revision: Final = "0039"
down_revision: Final = "0038"

STATEMENTS: Final = (
    """
    CREATE TABLE conversation.images (
        id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id UUID NOT NULL,
        uploader_id TEXT NOT NULL,
        media_type TEXT NOT NULL,
        sha256 BYTEA NOT NULL,
        content BYTEA NOT NULL,
        named BOOLEAN DEFAULT false NOT NULL,
        made_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_images PRIMARY KEY (id),
        CONSTRAINT fk_images_shop_id_shops
            FOREIGN KEY (shop_id) REFERENCES conversation.shops (id)
    )
    """,
    "COMMENT ON COLUMN conversation.images.named IS 'a message names it, so it was sent'",
    # Pictures are compressed already: trying it again costs time and gains nothing.
    "ALTER TABLE conversation.images ALTER COLUMN content SET STORAGE EXTERNAL",
    "CREATE INDEX ix_images_shop_id ON conversation.images (shop_id)",
    "CREATE INDEX ix_images_made_at ON conversation.images (made_at)",
    "CREATE INDEX ix_images_unjudged ON conversation.images (made_at) WHERE not named",
)


def upgrade() -> None:
    """Make the table; a test compares it with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
