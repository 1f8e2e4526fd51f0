"""Who reads a topic and in which groups: `python -m tools.readers` wrote it."""

from collections.abc import Mapping
from typing import Final

READERS: Final[Mapping[str, tuple[str, ...]]] = {
    "alerts": ("conversation", "gateway", "monitor"),
    "board": ("gateway",),
    "cases": ("orders",),
    "chat": ("conversation", "gateway", "monitor"),
    "chat.incidents": ("monitor",),
    "chat.signals": ("conversation", "gateway"),
    "directory": ("aftersales", "conversation", "gateway", "monitor", "orders"),
    "orders": ("aftersales",),
    "presence": ("conversation",),
    "staff": ("gateway", "monitor"),
    "work": ("aftersales", "conversation", "gateway", "orders"),
}
"""Services by topic."""

GROUPS: Final = (
    "aftersales.payments",
    "aftersales.tasks",
    "conversation.archive",
    "conversation.handoffs",
    "conversation.markers",
    "conversation.routing",
    "monitor.alerts",
    "monitor.fold",
    "monitor.incidents",
    "monitor.staff",
    "orders.settlements",
)
