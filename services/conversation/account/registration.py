"""One's own account, registered."""

from kit.service.database import DatabaseService
from kit.web.auth import Passwords
from services.conversation.account import routes
from services.conversation.account.service import Account
from services.conversation.login.service import Sessions
from services.conversation.settings import Settings


def register(service: DatabaseService[Settings], sessions: Sessions, passwords: Passwords) -> None:
    """Show everybody himself, and let staff change their own passwords."""
    account = Account(service.db, sessions, passwords, service.clock, service.ids)
    service.routes(routes.routes(account))
