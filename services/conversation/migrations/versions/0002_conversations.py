"""Conversations, work items and why routing chose whom it chose."""

from typing import Final

from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"

STATEMENTS: Final = (
    """
    CREATE TABLE conversation.conversations (
        id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        buyer_id UUID NOT NULL,
        skill_group_id UUID NOT NULL,
        state TEXT NOT NULL,
        stage TEXT NOT NULL,
        version INTEGER NOT NULL,
        assignment_version INTEGER NOT NULL,
        agent_id UUID,
        preferred_agent_id UUID,
        avoided_agent_id UUID,
        waiting_since timestamptz,
        assigned_at timestamptz,
        announced BOOLEAN NOT NULL,
        opened_at timestamptz NOT NULL,
        closed_at timestamptz,
        priority SMALLINT NOT NULL,
        subject TEXT NOT NULL,
        order_id TEXT,
        score SMALLINT,
        CONSTRAINT pk_conversations PRIMARY KEY (id),
        CONSTRAINT ck_conversations_state CHECK (state in ('queued', 'assigned', 'closed')),
        CONSTRAINT ck_conversations_stage CHECK (stage in ('welcome', 'introduce', 'bargain',
            'guide_order', 'guide_payment', 'verify', 'courier', 'farewell', 'remark', 'ship')),
        CONSTRAINT ck_conversations_owner CHECK ((state = 'assigned') = (agent_id is not null)),
        CONSTRAINT ck_conversations_waiting CHECK ((state = 'queued') = (waiting_since is not
            null)),
        CONSTRAINT ck_conversations_score CHECK (score between 1 and 5),
        CONSTRAINT fk_conversations_shop_id FOREIGN KEY(shop_id) REFERENCES conversation.shops
            (id)
    )
    """,
    """
    CREATE INDEX ix_conversations_buyer_id_opened_at ON conversation.conversations (buyer_id,
        opened_at)
    """,
    """
    CREATE INDEX ix_conversations_owner ON conversation.conversations (agent_id) WHERE state =
        'assigned'
    """,
    """
    CREATE INDEX ix_conversations_shop_id_id ON conversation.conversations (shop_id, id)
    """,
    """
    CREATE INDEX ix_conversations_waiting ON conversation.conversations (shop_id) WHERE state =
        'queued'
    """,
    """
    CREATE UNIQUE INDEX uq_conversations_open ON conversation.conversations (shop_id, buyer_id)
        WHERE state <> 'closed'
    """,
    """
    CREATE TABLE conversation.stage_moves (
        conversation_id UUID NOT NULL,
        version INTEGER NOT NULL,
        shop_id TEXT NOT NULL,
        previous TEXT NOT NULL,
        stage TEXT NOT NULL,
        agent_id UUID,
        at timestamptz NOT NULL,
        CONSTRAINT pk_stage_moves PRIMARY KEY (conversation_id, version)
    )
    """,
    """
    CREATE INDEX ix_stage_moves_shop_id_at ON conversation.stage_moves (shop_id, at)
    """,
    """
    CREATE TABLE conversation.work_items (
        id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        order_id TEXT NOT NULL,
        buyer_id TEXT NOT NULL,
        skill_group_id UUID,
        due_at timestamptz NOT NULL,
        waiting_since timestamptz,
        agent_id UUID,
        previous_agent_id UUID,
        version INTEGER NOT NULL,
        settled BOOLEAN NOT NULL,
        CONSTRAINT pk_work_items PRIMARY KEY (id)
    )
    """,
    """
    CREATE INDEX ix_work_items_owner ON conversation.work_items (agent_id) WHERE agent_id is not
        null and not settled
    """,
    """
    CREATE INDEX ix_work_items_waiting ON conversation.work_items (shop_id) WHERE waiting_since is
        not null and not settled
    """,
    """
    CREATE TABLE conversation.decisions (
        id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        subject_kind TEXT NOT NULL,
        subject_id UUID NOT NULL,
        at timestamptz NOT NULL,
        trigger TEXT NOT NULL,
        reason TEXT NOT NULL,
        agent_id UUID,
        candidates JSONB NOT NULL,
        CONSTRAINT pk_decisions PRIMARY KEY (id),
        CONSTRAINT ck_decisions_subject_kind CHECK (subject_kind in ('conversation', 'work'))
    )
    """,
    """
    COMMENT ON COLUMN conversation.decisions.candidates IS 'agents as routing saw them'
    """,
    """
    CREATE INDEX ix_decisions_subject_id_at ON conversation.decisions (subject_id, at)
    """,
)


def upgrade() -> None:
    """Make the tables; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
