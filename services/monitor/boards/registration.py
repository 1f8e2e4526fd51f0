"""What runs of the boards, and how they are reached."""

from kit.leases import Leases
from kit.service.database import DatabaseService
from services.monitor.boards import internal, routes
from services.monitor.boards.deadlines import BOARDS_S, CALM_S
from services.monitor.boards.publishing import Publisher
from services.monitor.boards.service import Boards
from services.monitor.directory.rules import Rules
from services.monitor.settings import Settings


def register(service: DatabaseService[Settings], rules: Rules) -> None:
    """Publish each board that changes, in that one monitor which holds its share; show any."""
    clock, interval_ms = service.clock, service.settings.board_interval_ms
    boards = Boards(service.db, rules, clock=clock, ids=service.ids)
    leases = Leases(service.db)
    publisher = Publisher(
        boards,
        leases,
        service.producer,
        clock=clock,
        ids=service.ids,
        interval_ms=interval_ms,
    )
    service.resource(stop=leases.close)
    service.every(BOARDS_S, "boards", publisher.publish_due, calm_s=CALM_S)
    service.routes(routes.reading(boards))
    service.internal(internal.reading(boards))
