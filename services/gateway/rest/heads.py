"""Which service answers a public path: `python -m tools.heads` wrote it."""

from collections.abc import Mapping
from typing import Final

HEADS: Final[Mapping[str, str]] = {
    "agents": "conversation",
    "audit/aftersales": "aftersales",
    "audit/conversation": "conversation",
    "audit/monitor": "monitor",
    "audit/orders": "orders",
    "buyers": "conversation",
    "cases": "aftersales",
    "console": "monitor",
    "conversations": "conversation",
    "images": "conversation",
    "inbox": "conversation",
    "intake": "orders",
    "me": "conversation",
    "monitor": "monitor",
    "orders": "orders",
    "phrases": "conversation",
    "search": "conversation",
    "sessions": "conversation",
    "shops": "conversation",
    "skill-groups": "conversation",
    "staff": "conversation",
    "work-items": "aftersales",
}
"""First segment after /v1, or the first two where services share one, and the service."""
