"""What is looked up of what was said: keys by message, the owner's function that finds them.

Array operators are not leakproof, so under a row policy their index would not be used. The function
passes by the policy, and so takes no other shop than the transaction is about.
"""

from typing import Final

from alembic import op

revision: Final = "0031"
down_revision: Final = "0029"

STATEMENTS: Final = (
    """
    CREATE TABLE conversation.words (
        message_id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id UUID NOT NULL,
        sender_id TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        keys BIGINT[] NOT NULL,
        CONSTRAINT pk_words PRIMARY KEY (message_id)
    )
    """,
    "COMMENT ON COLUMN conversation.words.sender_id IS 'who said it'",
    """
    CREATE INDEX ix_words_shop_id_at_message_id ON conversation.words (shop_id, at, message_id)
    """,
    "CREATE INDEX ix_words_keys ON conversation.words USING gin (keys)",
    """
    CREATE TABLE conversation.words_reach (
        partition SMALLINT NOT NULL,
        generation SMALLINT NOT NULL,
        next_offset BIGINT NOT NULL,
        reached_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_words_reach PRIMARY KEY (partition)
    )
    """,
    """
    COMMENT ON COLUMN conversation.words_reach.reached_at IS 'when the last of it was said'
    """,
    """
    CREATE FUNCTION conversation.found_words(
        shop text, wanted bigint[], since timestamptz, till timestamptz,
        below_at timestamptz, below_id uuid, sender text, most integer
    )
    RETURNS TABLE (message_id uuid, conversation_id uuid, at timestamptz, sender_id text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = conversation, pg_temp
    AS $$
    BEGIN
        IF coalesce(current_setting('app.shop', true), '') NOT IN (shop, '*') THEN
            RAISE insufficient_privilege USING message = 'the transaction is about another shop';
        END IF;
        -- Planned anew each time: which words are frequent decides how they are found.
        RETURN QUERY EXECUTE
            'select w.message_id, w.conversation_id, w.at, w.sender_id from conversation.words w
            where w.shop_id = $1 and w.keys @> $2 and w.at >= $3 and w.at < $4
                and (w.at, w.message_id) < ($5, $6) and ($7 is null or w.sender_id = $7)
            order by w.at desc, w.message_id desc limit $8'
            USING shop, wanted, since, till, below_at, below_id, sender, most;
    END
    $$
    """,
)


def upgrade() -> None:
    """Make the tables and the function; a test compares the tables with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
