"""How quick replies are reached."""

from kit.audit import Audit
from kit.service.database import DatabaseService
from services.conversation.access.routes import CommandLimits
from services.conversation.phrases import routes
from services.conversation.phrases.service import Phrases
from services.conversation.settings import Settings


def register(service: DatabaseService[Settings], audit: Audit, limits: CommandLimits) -> None:
    """Show quick replies, and keep them."""
    phrases = Phrases(service.db, audit, service.clock, service.ids)
    service.routes(routes.routes(phrases, limits))
