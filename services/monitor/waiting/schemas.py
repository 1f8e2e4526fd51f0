"""Who waits, over REST."""

from contracts.base import Moment
from contracts.monitor import WaitingBuyer
from services.monitor.access.schemas import Answer


class Waiting(Answer):
    """Buyers who wait for an answer now, longest first."""

    as_of: Moment | None
    waiting: int
    items: list[WaitingBuyer]
