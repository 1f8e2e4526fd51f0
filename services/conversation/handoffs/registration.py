"""What runs of offers, and how they are answered."""

from datetime import timedelta

from contracts import topics
from kit.admission import Admission
from kit.leases import Leases
from kit.service.database import DatabaseService
from services.conversation.access.routes import CommandLimits
from services.conversation.handoffs import routes
from services.conversation.handoffs.consumers import BACK, GROUP, TYPISTS, LongWaits, Typists
from services.conversation.handoffs.deadlines import LOOK_S
from services.conversation.handoffs.retention import OfferRetention
from services.conversation.handoffs.service import Offers
from services.conversation.handoffs.sweeps import Offering
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
    limits: CommandLimits,
    leases: Leases,
    through: Through,
) -> Offering:
    """Ask colleagues for buyers whose agents have not answered; let them accept and decline."""
    typists = Typists(service.clock)
    service.read(TYPISTS, [topics.SIGNALS], typists, back=BACK)
    offering = Offering(service.db, turns, routing, service.clock, through, typists.is_typing)
    service.consume(GROUP, [topics.ALERTS], LongWaits(offering))
    looking = SweepLoop("handoffs", offering.look, leases=leases)
    service.every(LOOK_S, "handoffs", looking)
    kept = timedelta(days=service.settings.decisions_kept_days)
    forgotten = OfferRetention(service.db, service.clock, kept)
    service.forgets(SweepLoop("forgetting offers", forgotten.forget, leases=leases))
    service.routes(routes.routes(Offers(turns, admission, routing), limits))
    return offering
