"""Who takes part, and the ids that name people and things across services. Knows no behaviour."""

from enum import StrEnum
from typing import NewType

ShopId = NewType("ShopId", str)
PersonId = NewType("PersonId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
SkillGroupId = NewType("SkillGroupId", str)
OrderId = NewType("OrderId", str)
CaseId = NewType("CaseId", str)
WorkId = NewType("WorkId", str)

PLATFORM = ShopId("platform")
"""The shop scope of people who run the installation and belong to no shop."""


class Role(StrEnum):
    """What a person may do. Every role but `BUYER` is staff."""

    BUYER = "buyer"
    AGENT = "agent"
    SENIOR = "senior"
    AFTERSALES = "aftersales"
    COMPLAINT = "complaint"
    CLERK = "clerk"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


CHATTING_STAFF = frozenset(
    {Role.AGENT, Role.SENIOR, Role.AFTERSALES, Role.COMPLAINT, Role.SUPERVISOR}
)
"""Roles that may hold a conversation."""

WATCHING_STAFF = frozenset({Role.SUPERVISOR, Role.ADMIN})
"""Roles that may see a whole shop's board, flags and incidents."""


def may_watch(role: str, shop_id: str, watched: str) -> bool:
    """Tell whether somebody with this role and scope may see the whole of the watched shop."""
    own = role in WATCHING_STAFF and shop_id == watched
    return own or runs_platform(role, shop_id)


def runs_platform(role: str, shop_id: str) -> bool:
    """Tell whether somebody with this role and scope may look at any shop: an administrator alone.

    Who came in by the platform in another role is of no shop.
    """
    return shop_id == PLATFORM and role == Role.ADMIN


class SenderKind(StrEnum):
    """Who wrote a message; decides whether it is an effective reply (docs/metrics.md, Words)."""

    BUYER = "buyer"
    AGENT = "agent"
    ASSIST_BOT = "assist_bot"
    AUTO = "auto"
    SYSTEM = "system"


class AgentState(StrEnum):
    """Whether an agent receives buyers."""

    ONLINE = "online"
    BUSY = "busy"
    SUSPENDED = "suspended"
    BREAK = "break"
    OFFLINE = "offline"


class ConversationState(StrEnum):
    """Where a conversation stands."""

    QUEUED = "queued"
    ASSIGNED = "assigned"
    CLOSED = "closed"


class AssignmentMode(StrEnum):
    """How somebody came to hold a conversation.

    What is `taken` off duty counts in nobody's load, and stays when its holder is not at his desk.
    """

    ROUTED = "routed"
    TAKEN = "taken"


class Stage(StrEnum):
    """The reception pipeline, from welcome to shipping."""

    WELCOME = "welcome"
    INTRODUCE = "introduce"
    BARGAIN = "bargain"
    GUIDE_ORDER = "guide_order"
    GUIDE_PAYMENT = "guide_payment"
    VERIFY = "verify"
    COURIER = "courier"
    FAREWELL = "farewell"
    REMARK = "remark"
    SHIP = "ship"
