"""What runs of the reception, and how it is reached."""

from kit.admission import Admission
from kit.audit import Audit
from kit.leases import Leases
from kit.service.database import DatabaseService
from services.conversation.access.routes import CommandLimits
from services.conversation.reception import routes
from services.conversation.reception.deadlines import CLOSE_LOOK_S
from services.conversation.reception.opening import Openings
from services.conversation.reception.service import Conversations
from services.conversation.reception.sweeps import Closings
from services.conversation.reception.taking import Takings
from services.conversation.routing.service import Routing
from services.conversation.routing.sweeps import Through
from services.conversation.settings import Settings
from services.conversation.sweeping import SweepLoop
from services.conversation.turns import Turns


def register(
    service: DatabaseService[Settings],
    turns: Turns,
    routing: Routing,
    *,
    admission: Admission,
    audit: Audit,
    limits: CommandLimits,
    leases: Leases,
    through: Through,
) -> Closings:
    """Let people open, work on and end conversations, and close what is silent."""
    closings = Closings(service.db, turns, routing, service.clock, through)
    closing = SweepLoop("closing", closings.close_silent, leases=leases)
    service.every(CLOSE_LOOK_S, "closing", closing)
    openings = Openings(turns, routing)
    working = Conversations(service.db, turns, admission, routing)
    takings = Takings(turns, admission, routing, audit)
    service.routes(routes.routes(openings, working, takings, limits=limits))
    return closings
