"""How skill groups are reached."""

from kit.service.database import DatabaseService
from services.conversation.access.routes import CommandLimits
from services.conversation.groups import routes
from services.conversation.groups.service import SkillGroups
from services.conversation.settings import Settings


def register(service: DatabaseService[Settings], limits: CommandLimits) -> None:
    """Create skill groups, and list them."""
    service.routes(routes.routes(SkillGroups(service.db, service.ids), limits))
