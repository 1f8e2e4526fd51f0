"""Payments, cases with deadlines, work items; audit."""

from typing import Final

from alembic import op

revision: Final = "0001"
down_revision: Final = None

STATEMENTS: Final = (
    """
    CREATE TABLE aftersales.audit (
        id TEXT NOT NULL,
        at timestamptz NOT NULL,
        shop_id TEXT NOT NULL,
        actor_id TEXT NOT NULL,
        actor_role TEXT NOT NULL,
        actor_shop_id TEXT NOT NULL,
        action TEXT NOT NULL,
        object_id TEXT NOT NULL,
        note TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_audit PRIMARY KEY (id)
    )
    """,
    """
    COMMENT ON COLUMN aftersales.audit.shop_id IS 'the object''s shop, whose business it is'
    """,
    """
    CREATE INDEX ix_audit_shop_id_id ON aftersales.audit (shop_id, id)
    """,
    """
    CREATE TABLE aftersales.idempotency (
        subject TEXT NOT NULL,
        route TEXT NOT NULL,
        key TEXT NOT NULL,
        body_hash BYTEA NOT NULL,
        status SMALLINT NOT NULL,
        headers JSONB NOT NULL,
        body BYTEA NOT NULL,
        created_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_idempotency PRIMARY KEY (subject, route, key)
    )
    """,
    """
    CREATE INDEX ix_idempotency_created_at ON aftersales.idempotency (created_at)
    """,
    """
    CREATE TABLE aftersales.inbox (
        consumer TEXT NOT NULL,
        event_id TEXT NOT NULL,
        seen_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
    )
    """,
    """
    CREATE INDEX ix_inbox_seen_at ON aftersales.inbox (seen_at)
    """,
    """
    CREATE TABLE aftersales.outbox (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        shard SMALLINT NOT NULL,
        event_id TEXT NOT NULL,
        topic TEXT NOT NULL,
        key TEXT NOT NULL,
        type TEXT NOT NULL,
        headers JSONB NOT NULL,
        body BYTEA NOT NULL,
        created_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_outbox PRIMARY KEY (id)
    )
     WITH (
        autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_insert_scale_factor = 0
    )
    """,
    """
    COMMENT ON COLUMN aftersales.outbox.headers IS '[[name, text], ...] in order'
    """,
    """
    CREATE INDEX ix_outbox_shard_id ON aftersales.outbox (shard, id)
    """,
    """
    CREATE TABLE aftersales.payments (
        order_id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        buyer_id TEXT NOT NULL,
        external_id TEXT NOT NULL,
        paid_fen BIGINT NOT NULL,
        reserved_fen BIGINT DEFAULT '0' NOT NULL,
        refunded_fen BIGINT DEFAULT '0' NOT NULL,
        currency TEXT NOT NULL,
        paid_at timestamptz NOT NULL,
        CONSTRAINT pk_payments PRIMARY KEY (order_id),
        CONSTRAINT ck_payments_never_above_paid CHECK (paid_fen > 0 and reserved_fen >= 0 and
            refunded_fen >= 0 and reserved_fen + refunded_fen <= paid_fen)
    )
    """,
    """
    CREATE TABLE aftersales.work_items (
        id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        order_id TEXT NOT NULL,
        buyer_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        attempt BIGINT NOT NULL,
        state TEXT NOT NULL,
        outcome TEXT,
        agent_id TEXT,
        assignment_version BIGINT DEFAULT '0' NOT NULL,
        due_at timestamptz NOT NULL,
        opened_at timestamptz NOT NULL,
        settled_at timestamptz,
        CONSTRAINT pk_work_items PRIMARY KEY (id),
        CONSTRAINT uq_work_items_order_id_kind_attempt UNIQUE (order_id, kind, attempt),
        CONSTRAINT ck_work_items_state CHECK (state in ('open', 'settled'))
    )
    """,
    """
    CREATE INDEX ix_work_items_shop_id_opened_at_id ON aftersales.work_items (shop_id,
            opened_at, id)
    """,
    """
    CREATE TABLE aftersales.cases (
        id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        order_id TEXT NOT NULL,
        buyer_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        version BIGINT NOT NULL,
        amount_fen BIGINT NOT NULL,
        currency TEXT NOT NULL,
        buyer_reason TEXT NOT NULL,
        agreed_reason TEXT,
        review_note TEXT DEFAULT '' NOT NULL,
        reviewed_by TEXT,
        refunded_by TEXT,
        opened_by TEXT NOT NULL,
        opened_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_cases PRIMARY KEY (id),
        CONSTRAINT ck_cases_state CHECK (state in ('requested', 'reviewed', 'refunded',
            'rejected', 'closed')),
        CONSTRAINT ck_cases_amount CHECK (amount_fen > 0),
        CONSTRAINT fk_cases_order_id FOREIGN KEY(order_id) REFERENCES aftersales.payments
            (order_id)
    )
    """,
    """
    CREATE INDEX ix_cases_buyer_id_id ON aftersales.cases (buyer_id, id)
    """,
    """
    CREATE INDEX ix_cases_order_id ON aftersales.cases (order_id)
    """,
    """
    CREATE INDEX ix_cases_shop_id_id ON aftersales.cases (shop_id, id)
    """,
    """
    CREATE TABLE aftersales.deadlines (
        case_id TEXT NOT NULL,
        state TEXT NOT NULL,
        due_at timestamptz NOT NULL,
        warn_at timestamptz NOT NULL,
        warned_at timestamptz,
        CONSTRAINT pk_deadlines PRIMARY KEY (case_id, state),
        CONSTRAINT fk_deadlines_case_id FOREIGN KEY(case_id) REFERENCES aftersales.cases (id)
    )
    """,
    """
    CREATE INDEX ix_deadlines_unwarned ON aftersales.deadlines (warn_at) WHERE warned_at is null
    """,
    """
    CREATE FUNCTION aftersales.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
    END $$
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON aftersales.audit
        FOR EACH STATEMENT EXECUTE FUNCTION aftersales.refuse_change()
    """,
)


def upgrade() -> None:
    """Make the tables; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
