"""Looks at what is masked, on the wire."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from contracts.base import Moment
from kit.web.app import Body
from services.conversation.access.schemas import View

REASON_LEAST: Final = 4
"""Characters of a reason in words: fewer say nothing."""


class RevealReason(StrEnum):
    """What somebody needs to see a buyer whole for."""

    ADDRESS = "address"
    PHONE = "phone"
    REFUND = "refund"
    OTHER = "other"


class Look(Body):
    """Why somebody looks; in words too, unless he serves the buyer at this moment."""

    reason: RevealReason
    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=REASON_LEAST, max_length=200)
    ] = Field(default="")


class RevealedBuyer(View):
    """A buyer whole; screens mask him again at `until`."""

    name: str
    phone: str
    address: str
    until: Moment
