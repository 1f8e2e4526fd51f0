"""Migrations of the schema `monitor`; run by `kit.tables.upgrade`."""

from kit.tables import run_migrations
from services.monitor.models import METADATA

run_migrations(METADATA)
