"""Sessions on the wire."""

from pydantic import Field

from contracts.base import Moment
from contracts.people import Role
from kit.web.app import Body
from services.conversation.access.schemas import View


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
