"""Who may call what and how often, for the routes of every subject.

The public interface is reached through the gateway alone.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request

from contracts.people import CHATTING_STAFF, Role
from kit.clock import Clock
from kit.web.auth import Principal, require
from kit.web.limits import KeyedBuckets

STAFF_ROLES: Final = tuple(role for role in Role if role is not Role.BUYER)

AnyStaff = Annotated[Principal, Depends(require(*STAFF_ROLES))]
Chatting = Annotated[Principal, Depends(require(*CHATTING_STAFF))]
Leading = Annotated[Principal, Depends(require(Role.SUPERVISOR, Role.ADMIN))]
Directing = Annotated[Principal, Depends(require(*CHATTING_STAFF, Role.ADMIN))]
Admin = Annotated[Principal, Depends(require(Role.ADMIN))]
ABuyer = Annotated[Principal, Depends(require(Role.BUYER))]

STAFF_RATE: Final = 2.0
STAFF_BURST: Final = 300.0
"""Commands of a member of staff, a second and at once; then 429. Hiring a team is a burst."""

BUYER_RATE: Final = 0.1
BUYER_BURST: Final = 30.0
"""The same of a buyer, who opens, rates and closes. Each takes the shop's turn at routing and keeps
an answer under its key for a day."""

STATE_COST: Final = 5.0
POLICY_COST: Final = 30.0
"""What costs more than a command: a state routes the whole shop, a policy goes to every gateway."""


class CommandLimits:
    """How many commands a person may give: what one does must not be what all wait for."""

    def __init__(self, clock: Clock) -> None:
        self._staff = KeyedBuckets(STAFF_RATE, STAFF_BURST, clock=clock)
        self._buyers = KeyedBuckets(BUYER_RATE, BUYER_BURST, clock=clock)

    def spend(self, principal: Principal, cost: float = 1.0) -> None:
        """Count a command, before anything is done for it. Raises `TooMany`."""
        buckets = self._buyers if principal.role == Role.BUYER else self._staff
        buckets.spend(principal.subject, cost)


def versioned(tag: str) -> APIRouter:
    """Return a router of version 1."""
    return APIRouter(prefix="/v1", tags=[tag])


def address_of(request: Request) -> str:
    """Return from where a request comes, as the gateway says it."""
    return request.client.host if request.client else ""


def client_of(request: Request) -> str:
    """Return how the client calls itself, empty if it does not."""
    return request.headers.get("user-agent", "")


PersonPath = Annotated[str, Path(max_length=64)]

SessionPath = Annotated[str, Path(max_length=64)]

ConversationPath = Annotated[str, Path(max_length=64)]
