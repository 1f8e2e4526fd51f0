"""What the conversation service takes and shows over REST: wire shapes without behaviour."""

from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from contracts.base import Moment
from contracts.people import AgentState, ConversationState, Role, Stage
from kit.web.app import Body

Name = Annotated[str, Field(min_length=1, max_length=80)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
LongText = Annotated[str, Field(max_length=2000)]
Capacity = Annotated[int, Field(ge=0, le=200)]


class View(BaseModel):
    """What an answer shows; a view is built from facts, never from a client's words."""

    model_config = ConfigDict(frozen=True)


# ---- sessions


class Login(Body):
    """A member of staff signs in."""

    login: str = Field(min_length=1, max_length=120)
    password: str = Field(min_length=1, max_length=1024)


class Refresh(Body):
    """A session goes on; the refresh token is spent by it."""

    refresh_token: str = Field(min_length=1, max_length=200)


class BuyerLogin(Body):
    """A shop vouches for its buyer by an HS256 JWT signed with its secret.

    Claims: `sub` (the shop's id of the buyer), `exp`; optional `name`, `phone`, `address`, `tier`.
    """

    shop_id: str = Field(min_length=1, max_length=64)
    token: str = Field(min_length=1, max_length=4096)


class VisitorLogin(Body):
    """Somebody without an account at the shop."""

    shop_id: str = Field(min_length=1, max_length=64)
    name: str = Field(default="", max_length=80)


class PersonView(View):
    """Whom a token stands for."""

    id: str
    role: Role
    shop_id: str
    name: str


class SessionView(View):
    """A token for REST and WebSocket, and what to renew it with."""

    token: str
    expires_at: Moment
    refresh_token: str
    person: PersonView


class Done(View):
    """It is done."""

    done: bool = True


# ---- shops, staff, groups


class NewShop(Body):
    """A tenant to create, with its first administrator."""

    name: Name
    time_zone: str = Field(default="Asia/Shanghai", max_length=64)
    admin_login: str = Field(min_length=3, max_length=120)
    admin_password: str = Field(min_length=8, max_length=256)


class ShopView(View):
    """A shop. `secret` is shown only to those who may sign buyers' tokens with it."""

    id: str
    name: str
    time_zone: str
    active: bool
    version: int
    policy: dict[str, Any]
    secret: str | None = None


class SecretView(View):
    """The secret with which a shop signs its buyers' tokens.

    The one before it stays valid until the next rotation.
    """

    shop_id: str
    version: int
    secret: str


class SecretRotated(View):
    """The shop's secret is a new one from now on."""

    shop_id: str
    version: int


class WordingPolicy(Body):
    """What a shop decides about wording; categories it does not name follow the house."""

    wording_actions: dict[Code, Literal["allow", "warn", "confirm", "block", "log"]] = Field(
        default_factory=dict, max_length=64
    )
    wording_terms: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field(
        default=(), max_length=500
    )
    allow_spans: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field(
        default=(), max_length=500
    )
    profiles: tuple[Code, ...] | None = Field(default=None, max_length=16)


class NewGroup(Body):
    """A skill group to create."""

    code: Code
    name: Name


class GroupView(View):
    """A skill group."""

    id: str
    code: str
    name: str


class NewStaff(Body):
    """A member of staff to create; `skill_groups` are codes."""

    login: str = Field(min_length=3, max_length=120)
    password: str = Field(min_length=8, max_length=256)
    name: Name
    role: Role
    capacity: Capacity = 8
    skill_groups: tuple[Code, ...] = Field(default=(), max_length=32)


class StaffChange(Body):
    """What to change; absent fields stay. Role, password and `active` end all sessions."""

    name: Name | None = None
    role: Role | None = None
    active: bool | None = None
    capacity: Capacity | None = None
    skill_groups: tuple[Code, ...] | None = Field(default=None, max_length=32)
    password: str | None = Field(default=None, min_length=8, max_length=256)


class StaffView(View):
    """A member of staff."""

    id: str
    login: str
    name: str
    role: Role
    active: bool
    capacity: int
    skill_groups: tuple[str, ...]
    state: AgentState
    state_since: Moment | None
    version: int


class StateChange(Body):
    """Whether an agent receives buyers from now on."""

    state: AgentState


class AgentView(View):
    """An agent's state, for colleagues."""

    id: str
    name: str
    role: Role
    state: AgentState
    state_since: Moment | None
    version: int


# ---- conversations


class NewConversation(Body):
    """A buyer wants to talk. `topic` is the code of a skill group, else the facts decide."""

    topic: Code | None = None
    product: str = Field(default="", max_length=120)
    order_id: str | None = Field(default=None, max_length=64)


class Transfer(Body):
    """Hand a conversation on: to one person or to one group, and why."""

    to_agent: str | None = Field(default=None, max_length=64)
    to_group: Code | None = None
    note: LongText


class Close(Body):
    """End a conversation."""

    reason: LongText = ""


class StageMove(Body):
    """Move a conversation along the reception pipeline."""

    stage: Stage


class Rating(Body):
    """The buyer's score."""

    score: int = Field(ge=1, le=5)


class BuyerView(View):
    """A buyer's profile; masked unless one works with him (P17)."""

    id: str
    name: str
    external_id: str | None = None
    phone: str = ""
    address: str = ""
    masked: bool


class ConversationView(View):
    """Where a conversation stands; `version` compares with the stream's events (H7)."""

    id: str
    shop_id: str
    buyer_id: str
    buyer: BuyerView
    skill_group_id: str
    state: ConversationState
    stage: Stage
    version: int
    assignment_version: int
    agent_id: str | None
    subject: str
    order_id: str | None
    opened_at: Moment
    waiting_since: Moment | None
    closed_at: Moment | None
    score: int | None


class WorkView(View):
    """A work item as its agent's inbox shows it."""

    id: str
    kind: str
    order_id: str
    buyer_id: str
    due_at: Moment
    version: int


class InboxView(View):
    """A person's open conversations and work, each with its version (H12)."""

    conversations: tuple[ConversationView, ...]
    work: tuple[WorkView, ...]


class CandidateView(View):
    """An agent as routing saw him."""

    agent_id: str
    state: AgentState
    load: int
    capacity: int


class DecisionView(View):
    """Who was chosen, why, and among whom (C1)."""

    id: str
    at: Moment
    trigger: str
    reason: str
    agent_id: str | None
    candidates: tuple[CandidateView, ...]


class DecisionsView(View):
    """The latest decisions on a conversation, newest first."""

    items: tuple[DecisionView, ...]


# ---- history: on the hot path, so msgspec; `HistoryItemView` documents it


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record of the log, shaped like the frame `ev`; `d` is spliced in undecoded."""

    s: str
    position: tuple[int, int]
    id: str
    type: str
    time: str
    d: msgspec.Raw
    archived_at: str
    late: bool = False


class History(msgspec.Struct, frozen=True):
    """A page of the history."""

    items: list[Item]
    next_cursor: str | None


class HistoryItemView(View):
    """A record of the log, shaped like the frame `ev`, and when it was archived (H27).

    `late` marks what staff sent after the close.
    """

    s: str
    position: tuple[int, int]
    id: str
    type: str
    time: Moment
    d: dict[str, Any]
    archived_at: Moment
    late: bool = False


class HistoryView(View):
    """A page of the history."""

    items: list[HistoryItemView]
    next_cursor: str | None = None


class Mark(msgspec.Struct, frozen=True):
    """Below this offset of the partition everything is archived or set aside (H10)."""

    partition: int
    generation: int
    offset: int


class Member(msgspec.Struct, frozen=True):
    """Somebody who takes part."""

    person_id: str
    role: str


class Attached(msgspec.Struct, frozen=True):
    """What the gateway needs to seat somebody: all of it of one moment (H11).

    `seat` is `buyer`, `owner` or `watcher`; a watcher reads. `items` are oldest first. `resync`
    tells that the history is too long to be continued from the position asked for.
    """

    conversation: msgspec.Raw
    seat: str
    members: list[Member]
    version: int
    assignment_version: int
    mark: Mark
    items: list[Item]
    resync: bool = False


class FoundMessage(View):
    """Whether and how a message id stands in the archive (H3)."""

    found: bool
    body_hash: str | None = None
    position: tuple[int, int] | None = None
