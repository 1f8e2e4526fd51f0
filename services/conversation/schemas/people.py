"""Sessions, shops, staff and skill groups on the wire."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints

from contracts.base import Moment
from contracts.monitor import RuleProfile
from contracts.people import AgentState, Role
from kit.web.app import Body
from services.conversation.schemas import Capacity, Code, Name, View
from wording import Action, Category

NewLogin = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=120)]


def _known_zone(name: str) -> str:
    """Refuse what names no time zone: every reader of the shop would fail on it."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no time zone has this name") from None


class Login(Body):
    """A member of staff signs in."""

    login: str = Field(min_length=1, max_length=120)
    password: str = Field(min_length=1, max_length=1024)


class Refresh(Body):
    """A session goes on; the refresh token is spent by it."""

    refresh_token: str = Field(min_length=1, max_length=200)


class BuyerLogin(Body):
    """A shop vouches for its buyer by an HS256 JWT signed with its secret.

    Claims: `sub` (the shop's id of the buyer, at most 200 characters), `exp`; optional `name`,
    `phone`, `address`, `tier`. Of a known buyer only the claims that stand in the token change.
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


class NewShop(Body):
    """A tenant to create, with its first administrator."""

    name: Name
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="Asia/Shanghai", max_length=64
    )
    admin_login: NewLogin
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
    """What a shop decides about wording; categories it does not name follow the house.

    To let abuse (insult, threat, discrimination) pass unasked, by a weaker action than `confirm`
    or by a span that holds some, needs a `reason`, which is audited; what passes is still flagged.
    """

    wording_actions: dict[Category, Action] = Field(default_factory=dict)
    wording_terms: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field(
        default=(), max_length=500
    )
    allow_spans: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field(
        default=(), max_length=500
    )
    profiles: tuple[RuleProfile, ...] | None = Field(default=None, max_length=16)
    reason: str | None = Field(default=None, min_length=1, max_length=200)


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

    login: NewLogin
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
