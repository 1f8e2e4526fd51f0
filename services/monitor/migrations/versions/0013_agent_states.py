"""Each change of an agent's state, from which his hours are told."""

from typing import Final

from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"

STATEMENTS: Final = (
    """
    CREATE TABLE monitor.agent_states (
        agent_id TEXT NOT NULL,
        version BIGINT NOT NULL,
        shop_id TEXT NOT NULL,
        state TEXT NOT NULL,
        previous TEXT,
        since_ms BIGINT NOT NULL,
        CONSTRAINT pk_agent_states PRIMARY KEY (agent_id, version)
    )
    """,
    "CREATE INDEX ix_agent_states_shop_id_since_ms ON monitor.agent_states (shop_id, since_ms)",
    """
    INSERT INTO monitor.agent_states (agent_id, version, shop_id, state, since_ms)
        SELECT agent_id, version, shop_id, state, extract(epoch from since) * 1000
        FROM monitor.agents
    """,
)


def upgrade() -> None:
    """Make the table, and begin it with what each agent is now."""
    for statement in STATEMENTS:
        op.execute(statement)
