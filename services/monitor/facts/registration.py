"""What runs of the facts: who is at work is stored, and when shops had nobody is known."""

from contracts import topics
from contracts.handling import decoded
from kit.service.database import DatabaseService
from services.monitor.facts.consumers import STAFF, STAFFING, Staff, StaffHistory
from services.monitor.facts.deadlines import STAFFING_S
from services.monitor.facts.service import Facts
from services.monitor.facts.staffing import Staffing
from services.monitor.settings import Settings


def register(service: DatabaseService[Settings], staffing: Staffing) -> None:
    """Store the states of agents, and note in `staffing` all their changes."""
    history = StaffHistory(service.bus, staffing, clock=service.clock)
    service.read(STAFFING, [topics.STAFF], history)
    service.resource(stop=history.close)
    service.every(STAFFING_S, "staffing", history.probe)
    service.consume(STAFF, [topics.STAFF], decoded(Staff(Facts(service.db))))
