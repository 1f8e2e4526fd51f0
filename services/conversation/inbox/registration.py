"""How inboxes are reached."""

from kit.service.database import DatabaseService
from services.conversation.inbox import routes
from services.conversation.inbox.service import Inboxes
from services.conversation.settings import Settings


def register(service: DatabaseService[Settings]) -> Inboxes:
    """Show people what they have in hand; return the use cases, which neighbours call too."""
    inboxes = Inboxes(service.db)
    service.routes(routes.routes(inboxes))
    return inboxes
