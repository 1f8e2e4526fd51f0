"""Every topic: its key, partitions, retention, who writes it and who reads it.

The partition count is fixed when a topic is created; changing it means a new topic version (ADR).
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from contracts import readers


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic as PeakDesk creates it.

    `partitions` and `retention` are (local, production) values. `retention` None means compacted.
    """

    name: str
    key: str
    writers: tuple[str, ...]
    partitions: tuple[int, int] = (12, 48)
    retention: tuple[timedelta, timedelta] | None = (timedelta(days=7), timedelta(days=30))
    purpose: str = field(default="", compare=False)

    @property
    def readers(self) -> tuple[str, ...]:
        """The services that read it."""
        return readers.READERS.get(self.name, ())


_HOUR: Final = timedelta(hours=1)

CHAT = Topic(
    name="chat",
    key="conversation_id",
    writers=("gateway", "conversation"),
    purpose="Chat messages and the lifecycle of their conversations, one order for both.",
)
SIGNALS = Topic(
    name="chat.signals",
    key="conversation_id",
    writers=("gateway",),
    retention=(_HOUR, _HOUR),
    purpose="Typing and read receipts; lossy. Of the latter the furthest is kept, nothing else.",
)
INCIDENTS = Topic(
    name="chat.incidents",
    key="conversation_id",
    writers=("gateway",),
    purpose="Messages the wording gate held back, with their evidence. Never fanned out.",
)
PRESENCE = Topic(
    name="presence",
    key="gateway_id",
    writers=("gateway",),
    partitions=(1, 1),
    retention=(_HOUR, _HOUR),
    purpose="Who is connected where, every ten seconds.",
)
DIRECTORY = Topic(
    name="directory",
    key="subject or shop",
    writers=("conversation",),
    partitions=(1, 1),
    retention=None,
    purpose="Roles, shop scope, revocations and wording policy; compacted, no secrets.",
)
STAFF = Topic(
    name="staff",
    key="agent_id",
    writers=("conversation",),
    purpose="Every change of an agent's state.",
)
WORK = Topic(
    name="work",
    key="work_id",
    writers=("aftersales", "conversation"),
    purpose="Work items: opened, escalated and settled by aftersales, routed by conversation.",
)
ORDERS = Topic(
    name="orders",
    key="order_id",
    writers=("orders",),
    purpose="What happened to an order.",
)
CASES = Topic(
    name="cases",
    key="case_id",
    writers=("aftersales",),
    purpose="What happened to an after-sales case.",
)
ALERTS = Topic(
    name="alerts",
    key="shop_id",
    writers=("monitor",),
    purpose="Waiting thresholds passed, wording flags and incidents stored, and verdicts on them.",
)
BOARD = Topic(
    name="board",
    key="shop_id",
    writers=("monitor",),
    partitions=(1, 1),
    retention=(_HOUR, _HOUR),
    purpose="The supervisor board of a shop, latest wins.",
)

TOPICS: Final = (
    CHAT, SIGNALS, INCIDENTS, PRESENCE, DIRECTORY, STAFF, WORK, ORDERS, CASES, ALERTS, BOARD,
)  # fmt: skip

DEAD_PREFIX: Final = "dead."
"""A consumer group's dead letters are kept in `dead.<group>`."""

DEAD_RETENTION: Final = timedelta(days=30)

GROUPS: Final = readers.GROUPS
"""Every consumer group; each has a dead-letter topic of one partition. Who reads a topic whole, in
every replica, is in no group and sets nothing aside."""
