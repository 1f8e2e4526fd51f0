"""Alembic's entry for schema `conversation`; `kit.tables.upgrade` calls it."""

from kit.tables import run_migrations
from services.conversation.models import METADATA

run_migrations(METADATA)
