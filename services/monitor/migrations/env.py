"""Migrations of the schema `monitor`; run by `kit.tables.upgrade`."""

# ruff: noqa: F401 - a model is in METADATA because it was imported

import services.monitor.evidence.models
import services.monitor.facts.models
import services.monitor.fold.models
import services.monitor.response.models
import services.monitor.traffic.models
import services.monitor.waiting.models
import services.monitor.wording.models
from kit.tables import run_migrations
from services.monitor.tables import METADATA

run_migrations(METADATA)
