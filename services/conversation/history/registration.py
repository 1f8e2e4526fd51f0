"""How history is reached."""

from kit.admission import Admission
from kit.service.database import DatabaseService
from kit.web.paging import Cursors
from services.conversation.history import routes
from services.conversation.history.service import Histories
from services.conversation.lists.service import Lists
from services.conversation.settings import Settings


def register(
    service: DatabaseService[Settings], admission: Admission, cursors: Cursors
) -> Histories:
    """Show conversations and what was said; return the use cases, which neighbours call too."""
    histories = Histories(service.db, admission, cursors)
    lists = Lists(service.db, cursors, service.clock)
    service.routes(routes.routes(histories, lists))
    return histories
