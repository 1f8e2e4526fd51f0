"""How people come in: the use cases of sessions with what they need, their routes, their end."""

from typing import NamedTuple

from kit.leases import Leases
from kit.service.database import DatabaseService
from kit.web.auth import Passwords, TokenIssuer
from services.conversation.login import routes
from services.conversation.login.claims import ShopTokens
from services.conversation.login.limits import LoginLimits
from services.conversation.login.retention import Retention
from services.conversation.login.service import Sessions
from services.conversation.settings import Settings
from services.conversation.shops.secrets import ShopSecrets
from services.conversation.sweeping import SweepLoop


class Login(NamedTuple):
    """What others lean on."""

    sessions: Sessions
    retention: Retention


def register(service: DatabaseService[Settings], passwords: Passwords, leases: Leases) -> Login:
    """Open, renew and end sessions; forget those that are over, and who came from where."""
    settings, clock = service.settings, service.clock
    sessions = Sessions(
        db=service.db,
        issuer=TokenIssuer(settings.token_private_key, clock, service.ids),
        passwords=passwords,
        shop_tokens=ShopTokens(ShopSecrets(settings.shop_secret_key), clock),
        limits=LoginLimits.at(
            clock,
            visitors_per_minute=settings.visitors_per_minute,
            visitors_per_address=settings.visitors_per_address,
        ),
        clock=clock,
        ids=service.ids,
    )
    service.routes(routes.routes(sessions))
    retention = Retention(service.db, clock, service.ids)
    service.forgets(SweepLoop("forgetting", retention.forget, leases=leases))
    return Login(sessions, retention)
