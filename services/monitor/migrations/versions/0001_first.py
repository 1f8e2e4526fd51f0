"""Rounds, sessions, counters, flags, incidents, agents, firings, leases; outbox and positions."""

from typing import Final

from alembic import op

revision: Final = "0001"
down_revision: Final = None

STATEMENTS: Final = (
    """
    CREATE TABLE monitor.agents (
        agent_id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        state TEXT NOT NULL,
        since TIMESTAMP WITH TIME ZONE NOT NULL,
        version BIGINT NOT NULL,
        CONSTRAINT pk_agents PRIMARY KEY (agent_id)
    )
    """,
    """
    CREATE INDEX ix_agents_shop_id ON monitor.agents (shop_id)
    """,
    """
    CREATE TABLE monitor.conversations (
        conversation_id TEXT NOT NULL,
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        shop_id TEXT NOT NULL,
        open BOOLEAN NOT NULL,
        owner TEXT,
        waiting_ms BIGINT,
        oldest_round_ms BIGINT,
        forget_ms BIGINT,
        state BYTEA NOT NULL,
        CONSTRAINT pk_conversations PRIMARY KEY (conversation_id)
    )
    """,
    """
    CREATE INDEX ix_conversations_live ON monitor.conversations (shop_id)
        WHERE open or oldest_round_ms is not null
    """,
    """
    CREATE INDEX ix_conversations_generation_partition
        ON monitor.conversations (generation, partition)
    """,
    """
    COMMENT ON COLUMN monitor.conversations."generation" IS
        'to which its offsets belong'
    """,
    """
    COMMENT ON COLUMN monitor.conversations."waiting_ms" IS
        'since when the buyer waits for a human'
    """,
    """
    COMMENT ON COLUMN monitor.conversations."oldest_round_ms" IS
        'oldest open round of any reading'
    """,
    """
    COMMENT ON COLUMN monitor.conversations."forget_ms" IS
        'log time after which the row may go'
    """,
    """
    COMMENT ON COLUMN monitor.conversations."state" IS
        'services.monitor.rounds.Conversation'
    """,
    """
    CREATE TABLE monitor.counters (
        partition INTEGER NOT NULL,
        shop_id TEXT NOT NULL,
        profile TEXT NOT NULL,
        day DATE NOT NULL,
        agent_id TEXT NOT NULL,
        rounds BIGINT NOT NULL,
        round_ms BIGINT NOT NULL,
        unanswered BIGINT NOT NULL,
        within BIGINT NOT NULL,
        slow BIGINT NOT NULL,
        sessions BIGINT NOT NULL,
        first_responses BIGINT NOT NULL,
        first_response_ms BIGINT NOT NULL,
        first_within BIGINT NOT NULL,
        CONSTRAINT pk_counters PRIMARY KEY (partition, shop_id, profile, day, agent_id)
    )
    """,
    """
    CREATE INDEX ix_counters_shop_id_day ON monitor.counters (shop_id, day)
    """,
    """
    COMMENT ON TABLE monitor.counters IS
        'one row per owner of a partition, summed on read (H19)'
    """,
    """
    COMMENT ON COLUMN monitor.counters."agent_id" IS
        'empty: nobody owned it'
    """,
    """
    CREATE TABLE monitor.firings (
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        waiting_offset BIGINT NOT NULL,
        profile TEXT NOT NULL,
        threshold_s INTEGER NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        due_ms BIGINT NOT NULL,
        late_ms BIGINT NOT NULL,
        CONSTRAINT pk_firings PRIMARY KEY (
            generation, partition, waiting_offset, profile, threshold_s
        )
    )
    """,
    """
    COMMENT ON TABLE monitor.firings IS
        'thresholds that fired, each once (H21)'
    """,
    """
    CREATE TABLE monitor.flags (
        message_id TEXT NOT NULL,
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        "offset" BIGINT NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        sender_id TEXT NOT NULL,
        speaker TEXT NOT NULL,
        at_ms BIGINT NOT NULL,
        categories TEXT[] NOT NULL,
        hits JSONB NOT NULL,
        lexicon_version TEXT NOT NULL,
        policy_version TEXT NOT NULL,
        CONSTRAINT pk_flags PRIMARY KEY (message_id)
    )
    """,
    """
    CREATE INDEX ix_flags_shop_id_at_ms_message_id ON monitor.flags (shop_id, at_ms, message_id)
    """,
    """
    COMMENT ON COLUMN monitor.flags."hits" IS
        'term, span, category and why of each hit'
    """,
    """
    CREATE TABLE monitor.generations (
        topic TEXT NOT NULL,
        generation INTEGER NOT NULL,
        topic_id TEXT NOT NULL,
        begun_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_generations PRIMARY KEY (topic, generation)
    )
    """,
    """
    CREATE TABLE monitor.incidents (
        incident_id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        agent_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        action TEXT NOT NULL,
        text TEXT NOT NULL,
        categories TEXT[] NOT NULL,
        hits JSONB NOT NULL,
        lexicon_version TEXT NOT NULL,
        policy_version TEXT NOT NULL,
        held_ms BIGINT NOT NULL,
        stored_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_incidents PRIMARY KEY (incident_id)
    )
    """,
    """
    CREATE INDEX ix_incidents_shop_id_held_ms_incident_id
        ON monitor.incidents (shop_id, held_ms, incident_id)
    """,
    """
    COMMENT ON COLUMN monitor.incidents."text" IS
        'the evidence: what the buyer never saw'
    """,
    """
    CREATE TABLE monitor.outbox (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        shard SMALLINT NOT NULL,
        event_id TEXT NOT NULL,
        topic TEXT NOT NULL,
        key TEXT NOT NULL,
        type TEXT NOT NULL,
        headers JSONB NOT NULL,
        body BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_outbox PRIMARY KEY (id)
    )
     WITH (
        autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_insert_scale_factor = 0)
    """,
    """
    CREATE INDEX ix_outbox_shard_id ON monitor.outbox (shard, id)
    """,
    """
    COMMENT ON COLUMN monitor.outbox."headers" IS
        '[[name, text], ...] in order'
    """,
    """
    CREATE TABLE monitor.partitions (
        partition SERIAL NOT NULL,
        watermark_ms BIGINT NOT NULL,
        caught_up_ms BIGINT NOT NULL,
        CONSTRAINT pk_partitions PRIMARY KEY (partition)
    )
    """,
    """
    COMMENT ON COLUMN monitor.partitions."watermark_ms" IS
        'newest log time folded'
    """,
    """
    COMMENT ON COLUMN monitor.partitions."caught_up_ms" IS
        'last seen folded to the end'
    """,
    """
    CREATE TABLE monitor.positions (
        consumer TEXT NOT NULL,
        topic TEXT NOT NULL,
        partition INTEGER NOT NULL,
        next_offset BIGINT NOT NULL,
        CONSTRAINT pk_positions PRIMARY KEY (consumer, topic, partition)
    )
    """,
    """
    CREATE TABLE monitor.rounds (
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        reading TEXT NOT NULL,
        opened_offset BIGINT NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        buyer_id TEXT NOT NULL,
        agent_id TEXT,
        day DATE NOT NULL,
        opened_ms BIGINT NOT NULL,
        closed_ms BIGINT NOT NULL,
        waiting_since_ms BIGINT NOT NULL,
        outcome TEXT NOT NULL,
        born_offset BIGINT NOT NULL,
        judged JSONB NOT NULL,
        CONSTRAINT pk_rounds PRIMARY KEY (generation, partition, reading, opened_offset)
    )
    """,
    """
    CREATE INDEX ix_rounds_shop_id_opened_ms ON monitor.rounds (shop_id, opened_ms)
    """,
    """
    COMMENT ON COLUMN monitor.rounds."day" IS
        'local day on which the round opened'
    """,
    """
    COMMENT ON COLUMN monitor.rounds."judged" IS
        '{profile: [rounds, round_ms, unanswered, within, slow]}'
    """,
    """
    CREATE TABLE monitor.sessions (
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        reading TEXT NOT NULL,
        started_offset BIGINT NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        buyer_id TEXT NOT NULL,
        agent_id TEXT,
        day DATE NOT NULL,
        started_ms BIGINT NOT NULL,
        to_human_ms BIGINT NOT NULL,
        assigned_ms BIGINT,
        replied_ms BIGINT,
        born_offset BIGINT NOT NULL,
        judged JSONB NOT NULL,
        CONSTRAINT pk_sessions PRIMARY KEY (generation, partition, reading, started_offset)
    )
    """,
    """
    CREATE INDEX ix_sessions_shop_id_started_ms ON monitor.sessions (shop_id, started_ms)
    """,
    """
    COMMENT ON COLUMN monitor.sessions."day" IS
        'local day on which the session started'
    """,
    """
    COMMENT ON COLUMN monitor.sessions."started_ms" IS
        'anchor buyer_first_msg'
    """,
    """
    COMMENT ON COLUMN monitor.sessions."to_human_ms" IS
        'anchor to_human'
    """,
    """
    COMMENT ON COLUMN monitor.sessions."assigned_ms" IS
        'anchor assigned'
    """,
    """
    COMMENT ON COLUMN monitor.sessions."judged" IS
        '{profile: [sessions, first_responses, first_response_ms, first_within]}'
    """,
    """
    CREATE TABLE monitor.traffic (
        partition INTEGER NOT NULL,
        shop_id TEXT NOT NULL,
        day DATE NOT NULL,
        buyer_messages BIGINT NOT NULL,
        agent_messages BIGINT NOT NULL,
        other_messages BIGINT NOT NULL,
        flags_agent BIGINT NOT NULL,
        flags_buyer BIGINT NOT NULL,
        as_of_ms BIGINT NOT NULL,
        revision BIGINT NOT NULL,
        CONSTRAINT pk_traffic PRIMARY KEY (partition, shop_id, day)
    )
    """,
    """
    CREATE INDEX ix_traffic_shop_id_day ON monitor.traffic (shop_id, day)
    """,
    """
    COMMENT ON COLUMN monitor.traffic."as_of_ms" IS
        'newest event of the shop'
    """,
    """
    COMMENT ON COLUMN monitor.traffic."revision" IS
        'next offset when last touched'
    """,
    """
    CREATE TABLE monitor.wording_spans (
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        shop_id TEXT NOT NULL,
        first_offset BIGINT NOT NULL,
        lexicon_version TEXT NOT NULL,
        policy_version TEXT NOT NULL,
        CONSTRAINT pk_wording_spans PRIMARY KEY (generation, partition, shop_id, first_offset)
    )
    """,
    """
    COMMENT ON TABLE monitor.wording_spans IS
        'under which lexicon and policy a shop''s messages were checked from an offset on'
    """,
)

TABLES: Final = (
    "wording_spans",
    "traffic",
    "sessions",
    "rounds",
    "positions",
    "partitions",
    "outbox",
    "incidents",
    "generations",
    "flags",
    "firings",
    "counters",
    "conversations",
    "agents",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    for table in TABLES:
        op.execute(f"DROP TABLE monitor.{table}")
