"""How staff is reached."""

from kit.audit import Audit
from kit.service.database import DatabaseService
from kit.web.auth import Passwords
from kit.web.paging import Cursors
from services.conversation.access.routes import CommandLimits
from services.conversation.settings import Settings
from services.conversation.staff import routes
from services.conversation.staff.service import Placement, Staff
from services.conversation.turns import Turns


def register(
    service: DatabaseService[Settings],
    turns: Turns,
    placement: Placement,
    *,
    passwords: Passwords,
    cursors: Cursors,
    audit: Audit,
    limits: CommandLimits,
) -> None:
    """Hire, change and list staff."""
    use = Staff(service.db, turns, placement, passwords, cursors, audit)
    service.routes(routes.routes(use, limits))
