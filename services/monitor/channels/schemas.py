"""Channels over REST."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from contracts.base import Moment
from kit.web.app import Body
from kit.web.paging import CURSOR_LIMIT, PAGE_DEFAULT, PAGE_LIMIT
from services.monitor.access.schemas import Answer
from services.monitor.channels.domain import (
    ChannelState,
    DeliveryState,
    Kind,
    Language,
    Level,
    Step,
)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_048)]
Secret = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
PersonName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@+-]{1,64}$")]
Levels = Annotated[list[Level], Field(min_length=1, max_length=3)]


class MentionedPeople(Body):
    """Who is called by name when it is critical: as the robot's own platform spells them.

    DingTalk takes mobile numbers, Feishu open ids, WeCom user ids; only the first two call all.
    """

    people: list[PersonName] = Field(default=[], max_length=20)
    everybody: bool = False


class NewChannel(Body):
    """A channel to add. For a webhook without a secret one is made, and shown once."""

    name: Name
    kind: Kind
    url: Url
    secret: Secret | None = None
    levels: Levels = Field(default_factory=lambda: list(Level))
    language: Language = Language.ZH
    mentions: MentionedPeople = MentionedPeople()
    names: bool = False


class ChannelChange(Body):
    """What is to be another; what is not named stays."""

    name: Name | None = None
    url: Url | None = None
    secret: Secret | None = None
    levels: Levels | None = None
    language: Language | None = None
    mentions: MentionedPeople | None = None
    names: bool | None = None
    on: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name what is to be another")
        return self


class ChannelView(Answer):
    """A channel. Its address is shown in part, its secret never, but for one that was just made."""

    id: str
    name: str
    kind: Kind
    address: str
    has_secret: bool
    levels: list[Level]
    language: Language
    mentions: MentionedPeople
    names: bool
    state: ChannelState
    why: str | None
    rests_until: Moment | None
    version: int
    created_at: Moment
    secret: str | None = None


class ChannelList(Answer):
    """All channels of a shop; it has 20 at most."""

    items: list[ChannelView]


class DeliveryQuery(Body):
    """Which page."""

    limit: int = Field(default=PAGE_DEFAULT, ge=1, le=PAGE_LIMIT)
    cursor: str | None = Field(default=None, max_length=CURSOR_LIMIT)


class DeliveryView(Answer):
    """A message to a channel, and what became of it. `code` is what the other side said last."""

    id: str
    step: Step
    level: Level
    rule: str
    title: dict[str, str]
    count: int
    alert_id: str | None
    state: DeliveryState
    attempts: int
    code: str | None
    merged_into: str | None
    at: Moment
    settled_at: Moment | None
    next_at: Moment | None


class Removed(Answer):
    """A channel that is no more."""

    id: str
