"""How alerts are reached."""

from kit.service.database import DatabaseService
from kit.web.paging import Cursors
from services.monitor.alerts import routes
from services.monitor.alerts.service import Alerts
from services.monitor.settings import Settings


def register(service: DatabaseService[Settings]) -> None:
    """List what leaders are told, and keep what people make of it."""
    cursors = Cursors(service.settings.cursor_secret)
    service.forgets_repeats()
    service.routes(routes.routes(Alerts(service.db, cursors, clock=service.clock, ids=service.ids)))
