"""What an operator may ask of the fold."""

from kit.service.database import DatabaseService
from services.monitor.fold import generations
from services.monitor.settings import Settings


async def begin_generation(service: DatabaseService[Settings]) -> tuple[str, int]:
    """Accept a chat topic that was made anew: its positions start over (H4)."""
    number = await generations.begin(service.bus, service.db)
    return f"{service.name}: generation {number}", 0
