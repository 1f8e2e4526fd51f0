"""Alembic's entry for schema `conversation`; `kit.tables.upgrade` calls it."""

from kit.tables import run_migrations
from services.conversation.archive import models as archive
from services.conversation.buyers import models as buyers
from services.conversation.conversations import models as conversations
from services.conversation.groups import models as groups
from services.conversation.handoffs import models as handoffs
from services.conversation.images import models as images
from services.conversation.login import models as login
from services.conversation.markers import models as markers
from services.conversation.phrases import models as phrases
from services.conversation.routing import models as routing
from services.conversation.search import models as search
from services.conversation.shops import models as shops
from services.conversation.staff import models as staff
from services.conversation.tables import METADATA
from services.conversation.tokens import models as tokens

MODELS = (
    archive,
    buyers,
    conversations,
    groups,
    handoffs,
    images,
    login,
    markers,
    phrases,
    routing,
    search,
    shops,
    staff,
    tokens,
)
"""Imported, so that their tables stand in the metadata."""

run_migrations(METADATA)
