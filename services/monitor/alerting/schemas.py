"""Alerts that stand, and mutes, over REST."""

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.base import Moment
from kit.web.app import Body
from kit.web.paging import CURSOR_LIMIT, PAGE_DEFAULT, PAGE_LIMIT
from services.monitor.access.schemas import Answer
from services.monitor.alerting.domain import AlertState
from services.monitor.channels.domain import Level

RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]


class StandingQuery(Body):
    """Which alerts of the caller's shop."""

    state: AlertState | None = None
    limit: int = Field(default=PAGE_DEFAULT, ge=1, le=PAGE_LIMIT)
    cursor: str | None = Field(default=None, max_length=CURSOR_LIMIT)


class StandingView(Answer):
    """One alert for however many times it happened. `muted`: stored, and told to nobody now."""

    id: str
    rule: str
    title: dict[str, str]
    level: Level
    state: AlertState
    object_id: str
    conversation_id: str | None
    agent_id: str | None
    count: int
    value: int | None
    escalated: int
    flapping: bool
    muted: bool
    opened_at: Moment
    last_at: Moment
    acknowledged_at: Moment | None
    resolved_at: Moment | None


class NewMute(Body):
    """What the shop does not want to be told for a while, and why: a day at most."""

    rule: RuleName
    object_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    until: AwareDatetime
    reason: Reason


class MuteView(Answer):
    """What is not told until then, by whom and why."""

    id: str
    rule: str
    object_id: str | None
    until: Moment
    reason: str
    person_id: str
    name: str
    at: Moment


class Mutes(Answer):
    """All that hold now."""

    items: list[MuteView]


class Unmuted(Answer):
    """A mute that is no more."""

    id: str
