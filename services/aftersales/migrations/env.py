"""Migrations of the schema `aftersales`; run by `kit.tables.upgrade`."""

from kit.tables import run_migrations
from services.aftersales.models import METADATA

run_migrations(METADATA)
