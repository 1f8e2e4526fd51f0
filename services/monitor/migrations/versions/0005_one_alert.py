"""A firing is named by its wait and threshold; the profiles that have it stand in its row.

Whoever fires meanwhile waits, five seconds at most, and fires later. The release before goes on
beside it: of its rows for one wait, one a profile, the first is taken, the others are known.
"""

from typing import Final

from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"

STATEMENTS: Final = (
    "LOCK TABLE monitor.firings IN SHARE ROW EXCLUSIVE MODE",
    "ALTER TABLE monitor.firings ADD COLUMN profiles TEXT[] DEFAULT '{}' NOT NULL",
    """
    UPDATE monitor.firings AS fired SET profiles = told.profiles
    FROM (
        SELECT generation, partition, waiting_offset, threshold_s,
            array_agg(profile ORDER BY profile) AS profiles
        FROM monitor.firings GROUP BY 1, 2, 3, 4
    ) AS told
    WHERE fired.generation = told.generation AND fired.partition = told.partition
        AND fired.waiting_offset = told.waiting_offset AND fired.threshold_s = told.threshold_s
    """,
    "DELETE FROM monitor.firings WHERE profile <> profiles[1]",
    "ALTER TABLE monitor.firings DROP CONSTRAINT pk_firings",
    """
    ALTER TABLE monitor.firings ADD CONSTRAINT pk_firings
        PRIMARY KEY (generation, partition, waiting_offset, threshold_s)
    """,
    """
    COMMENT ON COLUMN monitor.firings.waiting_offset IS
        'since which record the buyer waits for a person'
    """,
    """
    COMMENT ON COLUMN monitor.firings.profile IS
        'the strictest of those that have the threshold'
    """,
)


def upgrade() -> None:
    """Let the rows of one wait and threshold become one."""
    for statement in STATEMENTS:
        op.execute(statement)
