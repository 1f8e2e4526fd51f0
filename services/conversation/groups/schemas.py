"""Skill groups on the wire."""

from kit.web.app import Body
from services.conversation.access.schemas import Code, Name, View


class NewGroup(Body):
    """A skill group to create."""

    code: Code
    name: Name


class GroupView(View):
    """A skill group."""

    id: str
    code: str
    name: str
