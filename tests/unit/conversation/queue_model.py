"""Which heads of a shop's queues a go looks at, said plainly: what `queues.heads` must find."""

from collections.abc import Collection
from datetime import datetime

from services.conversation.routing.assignment import Places, Waiting, in_order


def heads(
    queue: list[Waiting],
    places: Places,
    *,
    patient: datetime,
    work: Collection[str] = (),
) -> list[Waiting]:
    """Return who may be given one of these places: by their group, by long wait, by their agent.

    Conversations and `work` stand in lines of their own.
    """
    line = in_order(queue)
    found: set[str] = set()

    def look_at(some: list[Waiting], most: int) -> None:
        for kind in (True, False):
            found.update([one.id for one in some if (one.id in work) is kind][:most])

    for group in {one.skill_group_id for one in line}:
        of_group = [one for one in line if one.skill_group_id == group]
        if places.every or group in places.groups or (group is None and places.online):
            look_at(of_group, places.count)
        look_at([one for one in of_group if one.since <= patient], places.online)
    for agent_id, room in places.own:
        look_at([one for one in line if one.preferred_agent_id == agent_id], room)
    return [one for one in line if one.id in found]
