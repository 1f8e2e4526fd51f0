"""Migrations of the schema `orders`; run by `kit.tables.upgrade`."""

from typing import Final

from kit.tables import run_migrations
from services.orders.access import models as access
from services.orders.intake import models as intake
from services.orders.tables import METADATA
from services.orders.trade import models as trade

MODELS: Final = (access, intake, trade)
"""Every subject's tables: importing them is what puts them into the metadata."""

run_migrations(METADATA)
