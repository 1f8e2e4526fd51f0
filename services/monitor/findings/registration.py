"""What runs of the findings, and how they are reached."""

from kit.service.database import DatabaseService
from kit.web.paging import Cursors
from services.monitor.directory.shops import Directory
from services.monitor.findings import routes
from services.monitor.findings.deadlines import CALM_S, TELL_S
from services.monitor.findings.service import Findings
from services.monitor.settings import Settings


def register(service: DatabaseService[Settings], directory: Directory) -> None:
    """Tell leaders what was found of how agents receive buyers, list it, and keep opinions."""
    cursors = Cursors(service.settings.cursor_secret)
    findings = Findings(service.db, directory, cursors, clock=service.clock, ids=service.ids)
    service.every(TELL_S, "reception", findings.tell_due, calm_s=CALM_S)
    service.routes(routes.routes(findings))
