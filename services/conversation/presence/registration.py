"""What runs of presence, and how agents' states are reached."""

from contracts import topics
from kit.service.database import DatabaseService
from kit.web.paging import Cursors
from services.conversation.access.routes import CommandLimits
from services.conversation.presence import routes
from services.conversation.presence.consumers import LOOK_S, PRESENCE, Presence
from services.conversation.presence.service import States
from services.conversation.routing.service import Routing
from services.conversation.settings import Settings
from services.conversation.turns import Turns


def register(
    service: DatabaseService[Settings],
    turns: Turns,
    routing: Routing,
    *,
    cursors: Cursors,
    limits: CommandLimits,
) -> Presence:
    """Let agents say whether they are there; set the states of those who are lost or back."""
    states = States(service.db, turns, routing, cursors)
    presence = Presence(
        service.bus,
        states,
        lost_after_s=service.settings.lost_after_s,
        clock=service.clock,
        metrics=service.metrics,
    )
    service.watch(PRESENCE, [topics.PRESENCE], presence.loop, ping=presence.loop.ping)
    service.every(LOOK_S, "presence", presence.look)
    service.routes(routes.routes(states, limits))
    return presence
