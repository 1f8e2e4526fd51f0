"""The use cases of the aftersales service: people's, other services' facts, and the deadlines."""

from services.aftersales.service.access import Access
from services.aftersales.service.commands import Commands
from services.aftersales.service.facts import Facts
from services.aftersales.service.reading import Reading
from services.aftersales.service.warnings import Warnings

__all__ = ["Access", "Commands", "Facts", "Reading", "Warnings"]
