"""What runs of search: who keeps its index, and who asks it."""

from kit.audit import Audit
from kit.service.database import DatabaseService
from kit.web.paging import Cursors
from services.conversation.search import routes
from services.conversation.search.deadlines import LOOK_S, WordsWorker
from services.conversation.search.indexing import Indexing, Through
from services.conversation.search.limits import SearchLimits
from services.conversation.search.service import Search
from services.conversation.settings import Settings


def register(
    service: DatabaseService[Settings], audit: Audit, *, cursors: Cursors, through: Through
) -> None:
    """Keep what is looked up of what is archived, and let staff look for it."""
    indexing = Indexing(service.db, service.clock, through)
    service.every(LOOK_S, "words", WordsWorker(indexing).look)
    search = Search(service.db, audit, service.clock, cursors, through)
    service.routes(routes.routes(search, SearchLimits(service.clock)))
