"""What clients see of work items. Knows no table."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.base import Moment
from contracts.work import WorkKind
from kit.web.app import Body
from services.aftersales.work.domain import WorkState

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class WorkItemView(BaseModel):
    """Work for an agent; the conversation service says who has it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    shop_id: str
    order_id: str
    buyer_id: str
    kind: WorkKind
    attempt: int
    state: WorkState
    outcome: str | None
    agent_id: str | None
    also: str | None = Field(
        validation_alias="senior_id", description="a senior who holds it beside the agent"
    )
    due_at: Moment
    level: int = Field(description="how often it escalated: 0 until it is past its due time")
    opened_at: Moment
    settled_at: Moment | None


class WorkFilter(Body):
    """The filters of the list of work items; nothing else is accepted in its query."""

    state: WorkState | None = None
    order_id: Id | None = None
    agent_id: Annotated[
        Id | None, Field(description="who holds it: as its agent, or as the senior beside him")
    ] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
