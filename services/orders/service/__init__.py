"""The use cases of the orders service, by who asks: shop platforms, people, other services."""

from services.orders.service.access import Access, NotHolder
from services.orders.service.commands import Commands
from services.orders.service.deliveries import Deliveries, DeliveryReused, OrderNotPlaced
from services.orders.service.facts import GROUP, Facts
from services.orders.service.reading import Reading
from services.orders.service.secrets import Secrets

__all__ = [
    "GROUP",
    "Access",
    "Commands",
    "Deliveries",
    "DeliveryReused",
    "Facts",
    "NotHolder",
    "OrderNotPlaced",
    "Reading",
    "Secrets",
]
