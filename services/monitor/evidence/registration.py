"""What runs of the evidence, and how it is reached."""

from contracts import topics
from contracts.handling import decoded
from kit.service.database import DatabaseService
from kit.web.paging import Cursors
from services.monitor.evidence import routes
from services.monitor.evidence.consumers import INCIDENTS, Incidents
from services.monitor.evidence.service import Evidence
from services.monitor.settings import Settings


def register(service: DatabaseService[Settings]) -> None:
    """Keep messages that the gate held back, and show them beside what was flagged."""
    evidence = Evidence(service.db, Cursors(service.settings.cursor_secret))
    service.consume(INCIDENTS, [topics.INCIDENTS], decoded(Incidents(evidence)))
    service.routes(routes.reading(evidence))
