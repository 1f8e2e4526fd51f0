"""Migrations of the schema `aftersales`; run by `kit.tables.upgrade`."""

from typing import Final

from kit.tables import run_migrations
from services.aftersales.cases import models as cases
from services.aftersales.tables import METADATA
from services.aftersales.work import models as work

MODELS: Final = (cases, work)
"""Every subject's tables: importing them is what puts them into the metadata."""

run_migrations(METADATA)
