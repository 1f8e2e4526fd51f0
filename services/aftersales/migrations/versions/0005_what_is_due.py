"""What is due by now gets its timer: open cases that nobody was warned of, and open work.

Apart from the tables, so that no writer waits while this reads. Work that is past its due time
escalates with the first sweep.
"""

from typing import Final

from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"

STATEMENTS: Final = (
    """
    UPDATE aftersales.cases SET due_at = d.due_at FROM aftersales.deadlines d
        WHERE d.case_id = cases.id AND d.state = cases.state AND cases.due_at IS NULL
    """,
    """
    INSERT INTO aftersales.timers (kind, subject_id, shop_id, due_at, fire_at)
        SELECT 'case_warning', c.id, c.shop_id, d.warn_at, d.warn_at
        FROM aftersales.deadlines d JOIN aftersales.cases c ON c.id = d.case_id
            AND c.state = d.state
        WHERE d.warned_at IS NULL
        ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO aftersales.timers (kind, subject_id, shop_id, due_at, fire_at)
        SELECT 'work_overdue', id, shop_id, due_at, due_at FROM aftersales.work_items
        WHERE state = 'open'
        ON CONFLICT DO NOTHING
    """,
)


def upgrade() -> None:
    """Copy it."""
    for statement in STATEMENTS:
        op.execute(statement)
