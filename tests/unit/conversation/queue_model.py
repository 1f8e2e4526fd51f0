"""What a go does, said plainly: the heads that `queues.heads` must find, and what is decided."""

from collections.abc import Collection, Iterable
from datetime import datetime

from services.conversation.routing.assignment import (
    Decision,
    Distribution,
    Places,
    Waiting,
    in_order,
)


def heads(
    queue: list[Waiting],
    places: Places,
    *,
    patient: datetime,
    work: Collection[str] = (),
) -> list[Waiting]:
    """Return who may be given one of these places: by group, role, long wait, or their agent.

    Conversations and `work` stand in lines of their own.
    """
    line = in_order(queue)
    found: set[str] = set()

    def look_at(some: list[Waiting], most: int) -> None:
        for kind in (True, False):
            found.update([one.id for one in some if (one.id in work) is kind][:most])

    of_any_role = [one for one in line if one.role is None]
    for group in {one.skill_group_id for one in of_any_role}:
        of_group = [one for one in of_any_role if one.skill_group_id == group]
        if places.every or group in places.groups or (group is None and places.online):
            look_at(of_group, places.count)
        look_at([one for one in of_group if one.since <= patient], places.online)
    for role in places.roles:
        look_at([one for one in line if one.role == role], places.count)
    for agent_id, room, role in places.own:
        his = [one for one in line if one.preferred_agent_id == agent_id]
        look_at([one for one in his if one.role in {None, role}], room)
    return [one for one in line if one.id in found]


def told(
    distribution: Distribution, queue: Iterable[Waiting], *, patient: datetime
) -> list[Decision]:
    """Return what is decided, in the order of the queue, and why the others wait on."""
    line = in_order(queue)
    made = {one.waiting_id: one for one in distribution.decide(line, patient=patient)}
    return [made.get(one.id) or distribution.left(one.id, one.skill_group_id) for one in line]
