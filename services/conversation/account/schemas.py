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
    """The caller; what only staff have is null or empty for buyers. `skill_groups` are codes."""

    id: str
    role: Role
    shop_id: str
    name: str
    login: str | None = None
    skill_groups: tuple[str, ...] = ()
    capacity: int | None = None
    state: AgentState | None = None
    state_since: Moment | None = None
