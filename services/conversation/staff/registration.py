"""How staff is reached."""

from typing import Final

from kit.audit import Audit
from kit.service.database import DatabaseService
from kit.web.auth import Passwords
from kit.web.paging import Cursors
from services.conversation.access.routes import CommandLimits
from services.conversation.settings import Settings
from services.conversation.staff import routes
from services.conversation.staff.service import Placement, Staff
from services.conversation.staff.sweeps import StaffRelisting
from services.conversation.turns import Turns

RELISTING_S: Final = 3_600.0
"""At a start, and again: a process of the release before may go on for a while beside this one."""


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
    relisting = StaffRelisting(service.db, service.clock, service.ids)
    service.every(RELISTING_S, "staff relisting", relisting.older_entries)
    use = Staff(service.db, turns, placement, passwords, cursors, audit)
    service.routes(routes.routes(use, limits))
