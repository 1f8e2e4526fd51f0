"""What runs of routing: the work of other services, and what falls due without anybody acting."""

from datetime import timedelta

from contracts import topics
from contracts.handling import decoded
from kit.leases import Leases
from kit.service.database import DatabaseService
from services.conversation.routing.consumers import GROUP, WorkItems
from services.conversation.routing.deadlines import FILL_S, SILENCE_LOOK_S
from services.conversation.routing.retention import DecisionRetention
from services.conversation.routing.service import Routing
from services.conversation.routing.sweeps import Sweeps, Through
from services.conversation.routing.work import Work
from services.conversation.settings import Settings
from services.conversation.sweeping import SweepLoop
from services.conversation.turns import Turns


def register(
    service: DatabaseService[Settings],
    turns: Turns,
    routing: Routing,
    *,
    leases: Leases,
    through: Through,
) -> Sweeps:
    """Route work, offer who waits again, take buyers from silent agents; forget old decisions."""
    sweeps = Sweeps(service.db, turns, routing, service.clock, through)
    service.consume(GROUP, [topics.WORK], decoded(WorkItems(Work(turns, routing))))
    filling = SweepLoop("filling", sweeps.fill, leases=leases)
    service.every(FILL_S, "filling", filling)
    relieving = SweepLoop("relieving", sweeps.relieve, leases=leases)
    service.every(SILENCE_LOOK_S, "relieving", relieving)
    kept = timedelta(days=service.settings.decisions_kept_days)
    decided = DecisionRetention(service.db, service.clock, kept)
    service.forgets(SweepLoop("forgetting decisions", decided.forget, leases=leases))
    return sweeps
