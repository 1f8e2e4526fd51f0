"""Staff on the wire."""

from typing import Annotated

from pydantic import Field, StringConstraints

from contracts.base import Moment
from contracts.people import AgentState, Role
from kit.web.app import Body
from services.conversation.access.schemas import Capacity, Code, Name, View

NewLogin = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=120)]


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
