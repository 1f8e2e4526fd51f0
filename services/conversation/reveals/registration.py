"""How buyers are shown whole."""

from kit.admission import Admission
from kit.audit import Audit
from kit.service.database import DatabaseService
from services.conversation.reveals import routes
from services.conversation.reveals.service import Reveals
from services.conversation.settings import Settings


def register(service: DatabaseService[Settings], admission: Admission, audit: Audit) -> None:
    """Let staff see a buyer whole."""
    reveals = Reveals.limited(service.db, admission, audit, clock=service.clock)
    service.routes(routes.routes(reveals))
