"""Migrations of the schema `orders`; run by `kit.tables.upgrade`."""

from kit.tables import run_migrations
from services.orders.models import METADATA

run_migrations(METADATA)
