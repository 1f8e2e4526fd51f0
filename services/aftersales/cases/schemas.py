"""What clients send and see of cases. Knows no table."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.aftersales import CaseKind, CaseState
from contracts.base import Moment
from contracts.people import PersonId
from kit.web.app import Body
from services.aftersales.cases.domain import Decision
from services.aftersales.work.schemas import Id

FEN_LIMIT: Final = 10**11
"""A billion yuan: far above any order, far below what sums in 64 bits could overflow."""

Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Fen = Annotated[int, Field(strict=True, gt=0, le=FEN_LIMIT, description="integer fen")]


class NewCase(Body):
    """A refund to ask for. The reason is the buyer's own; only staff add the agreed one."""

    order_id: Id
    kind: CaseKind
    amount_fen: Fen
    currency: Literal["CNY"] = "CNY"
    buyer_reason: Prose
    agreed_reason: Prose | None = None


class Review(Body):
    """What staff decided on a case, and why."""

    decision: Decision
    agreed_reason: Prose | None = None
    note: Prose


class Nothing(Body):
    """The body of a command without arguments: empty, or an object without fields."""


class CaseView(BaseModel):
    """A case as its buyer or its shop's staff see it. Money is integer fen."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    shop_id: str
    order_id: str
    buyer_id: str
    kind: CaseKind
    state: CaseState
    version: int
    amount_fen: int
    currency: str
    buyer_reason: str
    agreed_reason: str | None
    review_note: str | None = Field(description="for staff alone")
    due_at: Moment | None = Field(description="when the next step is due")
    opened_at: Moment
    updated_at: Moment


class CaseFilter(Body):
    """The filters of the list of cases; nothing else is accepted in its query."""

    state: CaseState | None = None
    order_id: Id | None = None
    buyer_id: Annotated[
        PersonId | None,
        Field(min_length=1, max_length=64, description="for staff; a buyer has his own alone"),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
