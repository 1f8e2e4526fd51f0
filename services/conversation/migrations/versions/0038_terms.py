"""What of a message is looked up, under other keys: everything is indexed anew, from the archive.

The column changes its name with what stands in it. A follower of the release before, which goes on
for as long as a deployment takes, then fails at its row and moves nothing: it can leave no key that
nobody looks for.
"""

from typing import Final

from alembic import op

revision: Final = "0038"
down_revision: Final = "0037"

STATEMENTS: Final = (
    "TRUNCATE conversation.words, conversation.words_reach",
    "ALTER TABLE conversation.words RENAME COLUMN keys TO terms",
    "ALTER INDEX conversation.ix_words_keys RENAME TO ix_words_terms",
    """
    CREATE OR REPLACE FUNCTION conversation.found_words(
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
            where w.shop_id = $1 and w.terms @> $2 and w.at >= $3 and w.at < $4
                and (w.at, w.message_id) < ($5, $6) and ($7 is null or w.sender_id = $7)
            order by w.at desc, w.message_id desc limit $8'
            USING shop, wanted, since, till, below_at, below_id, sender, most;
    END
    $$
    """,
)


def upgrade() -> None:
    """Empty the index, and let it hold what is looked up from now on."""
    for statement in STATEMENTS:
        op.execute(statement)
