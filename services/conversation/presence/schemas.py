"""Agents' states on the wire, and what is read of a gateway's report."""

from typing import Annotated

import msgspec

from contracts.base import Moment
from contracts.people import AgentState, PersonId, Role
from kit.web.app import Body
from services.conversation.access.schemas import View


class StateChange(Body):
    """Whether an agent receives buyers from now on."""

    state: AgentState


class AgentView(View):
    """An agent's state, for colleagues; how much he has to do where `fields=load` asks for it.

    `load` counts conversations and work, as his `capacity` does; `waiting` are those of his buyers
    who wait for an answer. `groups` are codes.
    """

    id: str
    name: str
    role: Role
    state: AgentState
    state_since: Moment | None
    version: int
    groups: tuple[str, ...] | None = None
    capacity: int | None = None
    load: int | None = None
    waiting: int | None = None


class Carried(msgspec.Struct, gc=False):
    """Of a person whom a gateway carries, what is read here."""

    person_id: PersonId
    role: Role


class Report(msgspec.Struct, gc=False):
    """Of a gateway's report, what is read here; a test ties it to `contracts.gateway`.

    Thousands of people stand in one, every ten seconds: so each costs a tenth of a microsecond.
    """

    people: Annotated[tuple[Carried, ...], msgspec.Meta(max_length=20_000)]
    leaving: bool = False


read_report = msgspec.json.Decoder(Report).decode
