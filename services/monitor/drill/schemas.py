"""What clients ask of what lies behind a figure, and what is answered."""

from pydantic import Field

from contracts.base import Moment
from contracts.people import ConversationId, PersonId
from kit.web.app import Body
from kit.web.paging import CURSOR_LIMIT, PAGE_DEFAULT, PAGE_LIMIT
from services.monitor.access.schemas import Answer
from services.monitor.drill.domain import Outcome


class DrillQuery(Body):
    """Which rounds or sessions: those that `GET /v1/monitor/figures` counts for the same stretch.

    Without `outcome` it is those that the average is made of. `unowned` asks for those of nobody.
    """

    shop: str = Field(min_length=1, max_length=64)
    profile: str = Field(min_length=1, max_length=40)
    start: str = Field(alias="from", min_length=10, max_length=35, examples=["2026-11-11"])
    end: str = Field(alias="to", min_length=10, max_length=35, examples=["2026-11-12"])
    agent: str | None = Field(default=None, min_length=1, max_length=64)
    unowned: bool = False
    outcome: Outcome | None = None
    limit: int = Field(default=PAGE_DEFAULT, ge=1, le=PAGE_LIMIT)
    cursor: str | None = Field(default=None, max_length=CURSOR_LIMIT)


class CountedRow(Answer):
    """A round or session behind a figure: whose it is, when it began, how it counts.

    `took_ms` is how long the answer took, null where none came on its day; `counted_ms` what it
    adds to the sum of its figure, which a profile may cap.
    """

    conversation_id: ConversationId
    buyer_id: PersonId
    agent_id: PersonId | None
    at: Moment
    took_ms: int | None
    counted_ms: int
    outcome: Outcome
