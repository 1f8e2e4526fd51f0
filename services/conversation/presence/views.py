"""How much agents have to do, as colleagues are shown it who hand something on (F13)."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.groups import repository as groups
from services.conversation.presence.schemas import AgentView
from services.conversation.routing import queues


async def loaded(
    session: AsyncSession, shop_id: ShopId, agents: Sequence[AgentView]
) -> list[AgentView]:
    """Return agents with what they have; who is offline has nothing, for it was given on."""
    full = {one.agent_id: one for one in await queues.candidates(session, shop_id, everybody=True)}
    codes = {one.id: one.code for one in await groups.groups_of_shop(session, shop_id)}
    present = [PersonId(one.id) for one in agents if one.id in full]
    talks = await conversations.assigned_to(session, shop_id, present)
    waits = await clock.waiting_since(session, talks)
    waiting = Counter(talks[one] for one in waits)
    shown = []
    for agent in agents:
        found = full.get(PersonId(agent.id))
        if found is None:
            shown.append(agent.model_copy(update={"load": 0, "waiting": 0}))
            continue
        known = {
            "groups": tuple(sorted(codes[one] for one in found.groups or ())),
            "capacity": found.capacity,
            "load": found.load,
            "waiting": waiting[found.agent_id],
        }
        shown.append(agent.model_copy(update=known))
    return shown
