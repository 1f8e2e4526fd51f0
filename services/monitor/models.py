"""The monitor's tables (schema `monitor`). Must not know how figures are judged.

Times are milliseconds since 1970 where they come from the fold, because the fold is exact in them.
"""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from kit import tables

METADATA: Final = tables.metadata("monitor")

OUTBOX: Final = tables.outbox(METADATA)
POSITIONS: Final = tables.positions(METADATA)
GENERATIONS: Final = tables.generations(METADATA)

PARTITIONS: Final = Table(
    "partitions",
    METADATA,
    Column("partition", Integer, primary_key=True),
    Column("watermark_ms", BigInteger, nullable=False, comment="newest log time folded"),
    Column("caught_up_ms", BigInteger, nullable=False, comment="last seen folded to the end"),
)

CONVERSATIONS: Final = Table(
    "conversations",
    METADATA,
    Column("conversation_id", Text, primary_key=True),
    Column("generation", SmallInteger, nullable=False, comment="to which its offsets belong"),
    Column("partition", Integer, nullable=False),
    Column("shop_id", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("owner", Text),
    Column("waiting_ms", BigInteger, comment="since when the buyer waits for a human"),
    Column("oldest_round_ms", BigInteger, comment="oldest open round of any reading"),
    Column("forget_ms", BigInteger, comment="log time after which the row may go"),
    Column("state", LargeBinary, nullable=False, comment="services.monitor.rounds.Conversation"),
)
Index(None, CONVERSATIONS.c.generation, CONVERSATIONS.c.partition)
Index(
    "ix_conversations_live",
    CONVERSATIONS.c.shop_id,
    postgresql_where=text("open or oldest_round_ms is not null"),
)

ROUNDS: Final = Table(
    "rounds",
    METADATA,
    Column("generation", SmallInteger, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("reading", Text, primary_key=True),
    Column("opened_offset", BigInteger, primary_key=True),
    Column("shop_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("buyer_id", Text, nullable=False),
    Column("agent_id", Text),
    Column("day", Date, nullable=False, comment="local day on which the round opened"),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger, nullable=False),
    Column("waiting_since_ms", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("born_offset", BigInteger, nullable=False),
    Column(
        "judged",
        JSONB,
        nullable=False,
        comment="{profile: [rounds, round_ms, unanswered, within, slow]}",
    ),
)
Index(None, ROUNDS.c.shop_id, ROUNDS.c.opened_ms)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("generation", SmallInteger, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("reading", Text, primary_key=True),
    Column("started_offset", BigInteger, primary_key=True),
    Column("shop_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("buyer_id", Text, nullable=False),
    Column("agent_id", Text),
    Column("day", Date, nullable=False, comment="local day on which the session started"),
    Column("started_ms", BigInteger, nullable=False, comment="anchor buyer_first_msg"),
    Column("to_human_ms", BigInteger, nullable=False, comment="anchor to_human"),
    Column("assigned_ms", BigInteger, comment="anchor assigned"),
    Column("replied_ms", BigInteger),
    Column("born_offset", BigInteger, nullable=False),
    Column(
        "judged",
        JSONB,
        nullable=False,
        comment="{profile: [sessions, first_responses, first_response_ms, first_within]}",
    ),
)
Index(None, SESSIONS.c.shop_id, SESSIONS.c.started_ms)

COUNTERS: Final = Table(
    "counters",
    METADATA,
    Column("partition", Integer, primary_key=True),
    Column("shop_id", Text, primary_key=True),
    Column("profile", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("agent_id", Text, primary_key=True, comment="empty: nobody owned it"),
    Column("rounds", BigInteger, nullable=False),
    Column("round_ms", BigInteger, nullable=False),
    Column("unanswered", BigInteger, nullable=False),
    Column("within", BigInteger, nullable=False),
    Column("slow", BigInteger, nullable=False),
    Column("sessions", BigInteger, nullable=False),
    Column("first_responses", BigInteger, nullable=False),
    Column("first_response_ms", BigInteger, nullable=False),
    Column("first_within", BigInteger, nullable=False),
    comment="one row per owner of a partition, summed on read (H19)",
)
Index(None, COUNTERS.c.shop_id, COUNTERS.c.day)

TRAFFIC: Final = Table(
    "traffic",
    METADATA,
    Column("partition", Integer, primary_key=True),
    Column("shop_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("buyer_messages", BigInteger, nullable=False),
    Column("agent_messages", BigInteger, nullable=False),
    Column("other_messages", BigInteger, nullable=False),
    Column("flags_agent", BigInteger, nullable=False),
    Column("flags_buyer", BigInteger, nullable=False),
    Column("as_of_ms", BigInteger, nullable=False, comment="newest event of the shop"),
    Column("revision", BigInteger, nullable=False, comment="next offset when last touched"),
)
Index(None, TRAFFIC.c.shop_id, TRAFFIC.c.day)
Index(None, TRAFFIC.c.day)

FLAGS: Final = Table(
    "flags",
    METADATA,
    Column("message_id", Text, primary_key=True),
    Column("generation", SmallInteger, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("shop_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("sender_id", Text, nullable=False),
    Column("speaker", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("categories", ARRAY(Text), nullable=False),
    Column("hits", JSONB, nullable=False, comment="term, span, category and why of each hit"),
    Column("lexicon_version", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
)
Index(None, FLAGS.c.shop_id, FLAGS.c.at_ms, FLAGS.c.message_id)

WORDING_SPANS: Final = Table(
    "wording_spans",
    METADATA,
    Column("generation", SmallInteger, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("shop_id", Text, primary_key=True),
    Column("first_offset", BigInteger, primary_key=True),
    Column("lexicon_version", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    comment="under which lexicon and policy a shop's messages were checked from an offset on",
)

INCIDENTS: Final = Table(
    "incidents",
    METADATA,
    Column("incident_id", Text, primary_key=True),
    Column("shop_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("text", Text, nullable=False, comment="the evidence: what the buyer never saw"),
    Column("categories", ARRAY(Text), nullable=False),
    Column("hits", JSONB, nullable=False),
    Column("lexicon_version", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("held_ms", BigInteger, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index(None, INCIDENTS.c.shop_id, INCIDENTS.c.held_ms, INCIDENTS.c.incident_id)
Index(None, INCIDENTS.c.held_ms, INCIDENTS.c.shop_id)

AGENTS: Final = Table(
    "agents",
    METADATA,
    Column("agent_id", Text, primary_key=True),
    Column("shop_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("version", BigInteger, nullable=False),
)
Index(None, AGENTS.c.shop_id)

FIRINGS: Final = Table(
    "firings",
    METADATA,
    Column("generation", SmallInteger, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("waiting_offset", BigInteger, primary_key=True),
    Column("profile", Text, primary_key=True),
    Column("threshold_s", Integer, primary_key=True),
    Column("shop_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("late_ms", BigInteger, nullable=False),
    comment="thresholds that fired, each once (H21)",
)
