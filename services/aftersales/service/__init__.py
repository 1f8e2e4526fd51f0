"""The use cases of the aftersales service: people's, other services' facts, and the deadlines."""

from services.aftersales.service.commands import Commands
from services.aftersales.service.facts import PAYMENTS, TASKS, Facts
from services.aftersales.service.reading import Reading
from services.aftersales.service.warnings import BATCH, Warnings

__all__ = ["BATCH", "PAYMENTS", "TASKS", "Commands", "Facts", "Reading", "Warnings"]
