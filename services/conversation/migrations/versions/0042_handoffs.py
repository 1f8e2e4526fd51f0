"""Who is asked to answer a colleague's buyer, about which waits, and after which a shop asks."""

from typing import Final

from alembic import op

revision: Final = "0042"
down_revision: Final = "0041"

STATEMENTS: Final = (
    "ALTER TABLE conversation.timings ADD COLUMN handoff_offer_s INTEGER DEFAULT 25",
    """
    COMMENT ON COLUMN conversation.timings.handoff_offer_s
        IS 'null: no buyer is offered to a colleague'
    """,
    """
    CREATE TABLE conversation.handoff_waits (
        conversation_id UUID NOT NULL,
        waiting_since TIMESTAMP WITH TIME ZONE NOT NULL,
        shop_id TEXT NOT NULL,
        from_agent_id UUID NOT NULL,
        seat_version INTEGER NOT NULL,
        breach_at TIMESTAMP WITH TIME ZONE NOT NULL,
        is_open BOOLEAN DEFAULT true NOT NULL,
        CONSTRAINT pk_handoff_waits PRIMARY KEY (conversation_id, waiting_since),
        CONSTRAINT fk_handoff_waits_shop_id_shops
            FOREIGN KEY (shop_id) REFERENCES conversation.shops (id)
    )
    """,
    """
    CREATE INDEX ix_handoff_waits_open ON conversation.handoff_waits (shop_id, breach_at)
        WHERE is_open
    """,
    "CREATE INDEX ix_handoff_waits_breach_at ON conversation.handoff_waits (breach_at)",
    """
    CREATE TABLE conversation.offers (
        id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id UUID NOT NULL,
        from_agent_id UUID NOT NULL,
        to_agent_id UUID NOT NULL,
        seat_version INTEGER NOT NULL,
        waiting_since TIMESTAMP WITH TIME ZONE NOT NULL,
        breach_at TIMESTAMP WITH TIME ZONE NOT NULL,
        offered_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        state TEXT NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_offers PRIMARY KEY (id),
        CONSTRAINT fk_offers_shop_id_shops
            FOREIGN KEY (shop_id) REFERENCES conversation.shops (id)
    )
    """,
    """
    CREATE UNIQUE INDEX uq_offers_conversation ON conversation.offers (conversation_id)
        WHERE state = 'open'
    """,
    """
    CREATE UNIQUE INDEX uq_offers_person ON conversation.offers (to_agent_id)
        WHERE state = 'open'
    """,
    "CREATE INDEX ix_offers_open ON conversation.offers (shop_id) WHERE state = 'open'",
    """
    CREATE INDEX ix_offers_to_agent_id_offered_at
        ON conversation.offers (to_agent_id, offered_at)
    """,
    """
    CREATE INDEX ix_offers_conversation_id_offered_at
        ON conversation.offers (conversation_id, offered_at)
    """,
    "CREATE INDEX ix_offers_offered_at ON conversation.offers (offered_at)",
)


def upgrade() -> None:
    """Make the tables; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
