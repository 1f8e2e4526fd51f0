"""How shops are reached: their use cases with what they need, and their routes."""

from pathlib import Path

from kit.audit import Audit
from kit.service.database import DatabaseService
from kit.web.auth import Passwords
from services.conversation.access.routes import CommandLimits
from services.conversation.settings import Settings
from services.conversation.shops import routes
from services.conversation.shops.allowed_abuse import AllowedAbuse
from services.conversation.shops.secrets import ShopSecrets
from services.conversation.shops.service import Shops


def register(
    service: DatabaseService[Settings],
    passwords: Passwords,
    *,
    audit: Audit,
    limits: CommandLimits,
) -> None:
    """Create shops, and change what they decide. Raises `SettingsRefused` for a broken profile."""
    settings = service.settings
    shops = Shops(
        db=service.db,
        audit=audit,
        clock=service.clock,
        ids=service.ids,
        passwords=passwords,
        shop_secrets=ShopSecrets(settings.shop_secret_key),
        allowed_abuse=AllowedAbuse(
            Path(settings.lexicon_folder) if settings.lexicon_folder else None
        ),
        profiles=settings.profile_names(),
    )
    service.routes(routes.routes(shops, limits))
