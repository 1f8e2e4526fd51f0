"""How pictures are reached, and when they go."""

from datetime import timedelta

from contracts.images import UPLOADS
from kit.admission import Admission
from kit.leases import Leases
from kit.service.database import DatabaseService
from services.conversation.images import routes
from services.conversation.images.retention import PictureRetention, Through
from services.conversation.images.service import Pictures
from services.conversation.settings import Settings
from services.conversation.sweeping import SweepLoop


def register(
    service: DatabaseService[Settings],
    admission: Admission,
    *,
    leases: Leases,
    through: Through,
) -> None:
    """Take and show pictures, and forget them."""
    clock = service.clock
    pictures = Pictures.in_rows(service.db, admission, clock=clock, ids=service.ids)
    service.takes_raw(UPLOADS)
    service.routes(routes.routes(pictures))
    kept = timedelta(days=service.settings.pictures_kept_days)
    retention = PictureRetention(service.db, pictures.blobs, clock, kept, through)
    service.forgets(SweepLoop("forgetting pictures", retention.forget, leases=leases))
