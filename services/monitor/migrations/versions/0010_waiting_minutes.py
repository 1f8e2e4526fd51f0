"""How many waited, by minute, and how far that is counted.

Nothing is filled in here: who folds next counts a partition's minutes from its rounds.
"""

from typing import Final

from alembic import op

revision: Final = "0010"
down_revision: Final = "0008"

STATEMENTS: Final = (
    """
    CREATE TABLE monitor.waiting_minutes (
        partition INTEGER NOT NULL,
        shop_id TEXT NOT NULL,
        minute BIGINT NOT NULL,
        day DATE NOT NULL,
        opened BIGINT NOT NULL,
        closed BIGINT NOT NULL,
        carried BIGINT NOT NULL,
        CONSTRAINT pk_waiting_minutes PRIMARY KEY (partition, shop_id, minute)
    )
    """,
    "COMMENT ON COLUMN monitor.waiting_minutes.minute IS 'since 1970'",
    "COMMENT ON COLUMN monitor.waiting_minutes.day IS 'the shop''s local day'",
    """
    COMMENT ON COLUMN monitor.waiting_minutes.carried IS
        'waits that went on over the day''s midnight'
    """,
    """
    CREATE INDEX ix_waiting_minutes_shop_id_day ON monitor.waiting_minutes (shop_id, day)
    """,
    """
    CREATE TABLE monitor.waiting_marks (
        partition INTEGER NOT NULL,
        counted_to BIGINT NOT NULL,
        CONSTRAINT pk_waiting_marks PRIMARY KEY (partition)
    )
    """,
    """
    COMMENT ON COLUMN monitor.waiting_marks.counted_to IS
        'another one than the fold''s: a release that does not count folded meanwhile'
    """,
)


def upgrade() -> None:
    """Make both, empty."""
    for statement in STATEMENTS:
        op.execute(statement)
