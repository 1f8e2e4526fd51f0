"""How buyers are found."""

from kit.audit import Audit
from kit.service.database import DatabaseService
from services.conversation.finding import routes
from services.conversation.finding.service import Finding
from services.conversation.settings import Settings


def register(service: DatabaseService[Settings], audit: Audit) -> None:
    """Let staff look for buyers."""
    service.routes(routes.routes(Finding.limited(service.db, audit, service.clock)))
