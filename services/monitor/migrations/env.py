"""Migrations of the schema `monitor`; run by `kit.tables.upgrade`."""

from typing import Final

from kit.tables import run_migrations
from services.monitor.alerting import models as alerting
from services.monitor.alerts import models as alerts
from services.monitor.channels import models as channels
from services.monitor.curve import models as curve
from services.monitor.evidence import models as evidence
from services.monitor.facts import models as facts
from services.monitor.fold import models as fold
from services.monitor.handoffs import models as handoffs
from services.monitor.reception import models as reception
from services.monitor.response import models as response
from services.monitor.tables import METADATA
from services.monitor.traffic import models as traffic
from services.monitor.waiting import models as waiting
from services.monitor.wording import models as wording

MODELS: Final = (
    alerting,
    alerts,
    channels,
    curve,
    evidence,
    facts,
    fold,
    handoffs,
    reception,
    response,
    traffic,
    waiting,
    wording,
)
"""Every subject's tables: importing them is what puts them into the metadata."""

run_migrations(METADATA)
