"""One's own account on the wire."""

from pydantic import Field

from contracts.base import Moment
from contracts.people import AgentState, Role
from kit.web.app import Body
from services.conversation.access.schemas import View


class NewPassword(Body):
    """A member of staff gives himself another password."""

    current: str = Field(min_length=1, max_length=1024)
    new: str = Field(min_length=8, max_length=256)


class MeView(View):
    """The caller; what only staff have is null or empty for buyers.

    `groups` are the codes of his skill groups.
    """

    id: str
    role: Role
    shop_id: str
    name: str
    login: str | None = None
    groups: tuple[str, ...] = ()
    capacity: int | None = None
    state: AgentState | None = None
    state_since: Moment | None = None
    sid: str = Field(description="the session that the token is of")


class OwnSession(View):
    """A session of the caller's. `client` is how it called itself, `used_at` its last renewal."""

    sid: str
    opened_at: Moment | None
    used_at: Moment | None
    client: str
    current: bool = Field(description="whether the request's token is of it")


class OwnSessions(View):
    """The sessions of one person, the one used last first; a hundred at most."""

    items: list[OwnSession]
