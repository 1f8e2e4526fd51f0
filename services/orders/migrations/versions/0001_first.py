"""Orders, their interlocks, remarks and address checks; intake receipts; audit."""

from typing import Final

from alembic import op

revision: Final = "0001"
down_revision: Final = None

STATEMENTS: Final = (
    """
    CREATE TABLE orders.audit (
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
    COMMENT ON COLUMN orders.audit.shop_id IS 'the object''s shop, whose business it is'
    """,
    """
    CREATE INDEX ix_audit_shop_id_id ON orders.audit (shop_id, id)
    """,
    """
    CREATE TABLE orders.idempotency (
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
    CREATE INDEX ix_idempotency_created_at ON orders.idempotency (created_at)
    """,
    """
    CREATE TABLE orders.inbox (
        consumer TEXT NOT NULL,
        event_id TEXT NOT NULL,
        seen_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
    )
    """,
    """
    CREATE INDEX ix_inbox_seen_at ON orders.inbox (seen_at)
    """,
    """
    CREATE TABLE orders.intake_receipts (
        shop_id TEXT NOT NULL,
        webhook_id TEXT NOT NULL,
        body_hash BYTEA NOT NULL,
        answer JSONB NOT NULL,
        received_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_intake_receipts PRIMARY KEY (shop_id, webhook_id)
    )
    """,
    """
    CREATE INDEX ix_intake_receipts_received_at ON orders.intake_receipts (received_at)
    """,
    """
    CREATE TABLE orders.orders (
        id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        external_id TEXT NOT NULL,
        buyer_id TEXT NOT NULL,
        buyer_name TEXT NOT NULL,
        recipient_name TEXT NOT NULL,
        recipient_phone TEXT NOT NULL,
        recipient_address TEXT NOT NULL,
        lines JSONB NOT NULL,
        total_fen BIGINT NOT NULL,
        currency TEXT NOT NULL,
        paid_fen BIGINT DEFAULT '0' NOT NULL,
        refunded_fen BIGINT DEFAULT '0' NOT NULL,
        state TEXT NOT NULL,
        address_attempts BIGINT DEFAULT '0' NOT NULL,
        address_result TEXT,
        version BIGINT NOT NULL,
        facts_hash BYTEA NOT NULL,
        placed_at timestamptz NOT NULL,
        paid_at timestamptz,
        created_at timestamptz DEFAULT now() NOT NULL,
        updated_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_orders PRIMARY KEY (id),
        CONSTRAINT uq_orders_shop_id_external_id UNIQUE (shop_id, external_id),
        CONSTRAINT ck_orders_state CHECK (state in ('placed', 'paid', 'released', 'printed',
            'closed')),
        CONSTRAINT ck_orders_money CHECK (total_fen >= 0 and paid_fen >= 0 and refunded_fen >=
            0),
        CONSTRAINT ck_orders_refunded CHECK (refunded_fen <= paid_fen)
    )
    """,
    """
    COMMENT ON COLUMN orders.orders.facts_hash IS 'of what order.placed said'
    """,
    """
    CREATE INDEX ix_orders_buyer_id_id ON orders.orders (buyer_id, id)
    """,
    """
    CREATE INDEX ix_orders_shop_id_id ON orders.orders (shop_id, id)
    """,
    """
    CREATE TABLE orders.outbox (
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
    COMMENT ON COLUMN orders.outbox.headers IS '[[name, text], ...] in order'
    """,
    """
    CREATE INDEX ix_outbox_shard_id ON orders.outbox (shard, id)
    """,
    """
    CREATE TABLE orders.work (
        work_id TEXT NOT NULL,
        order_id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        agent_id TEXT,
        version BIGINT NOT NULL,
        settled BOOLEAN DEFAULT 'false' NOT NULL,
        CONSTRAINT pk_work PRIMARY KEY (work_id)
    )
    """,
    """
    CREATE INDEX ix_work_order_id ON orders.work (order_id)
    """,
    """
    CREATE TABLE orders.address_checks (
        id TEXT NOT NULL,
        order_id TEXT NOT NULL,
        result TEXT NOT NULL,
        by TEXT NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_address_checks PRIMARY KEY (id),
        CONSTRAINT fk_address_checks_order_id FOREIGN KEY(order_id) REFERENCES orders.orders
            (id)
    )
    """,
    """
    CREATE INDEX ix_address_checks_order_id_id ON orders.address_checks (order_id, id)
    """,
    """
    CREATE TABLE orders.interlocks (
        order_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        ref TEXT NOT NULL,
        source_version BIGINT NOT NULL,
        set_at timestamptz NOT NULL,
        cleared_at timestamptz,
        CONSTRAINT pk_interlocks PRIMARY KEY (order_id, kind, ref),
        CONSTRAINT fk_interlocks_order_id FOREIGN KEY(order_id) REFERENCES orders.orders (id)
    )
    """,
    """
    CREATE TABLE orders.remarks (
        id TEXT NOT NULL,
        order_id TEXT NOT NULL,
        author_id TEXT NOT NULL,
        author_name TEXT NOT NULL,
        text TEXT NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_remarks PRIMARY KEY (id),
        CONSTRAINT fk_remarks_order_id FOREIGN KEY(order_id) REFERENCES orders.orders (id)
    )
    """,
    """
    CREATE INDEX ix_remarks_order_id_id ON orders.remarks (order_id, id)
    """,
    """
    CREATE FUNCTION orders.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
    END $$
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON orders.audit
        FOR EACH STATEMENT EXECUTE FUNCTION orders.refuse_change()
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON orders.remarks
        FOR EACH STATEMENT EXECUTE FUNCTION orders.refuse_change()
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON orders.address_checks
        FOR EACH STATEMENT EXECUTE FUNCTION orders.refuse_change()
    """,
)


def upgrade() -> None:
    """Make the tables; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
