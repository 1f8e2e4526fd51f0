"""Stands for parts that have nothing to do in a test."""

from kit.clock import ManualClock
from services.gateway.history import Ring
from services.gateway.hub import ConversationSubscription
from services.gateway.streams.heads import Heads


class NoLanes:
    """Nobody sends."""

    def hold(self, subscription: ConversationSubscription) -> None:
        """Nothing waits."""

    def resume(self, subscription: ConversationSubscription) -> None:
        """Nothing waited."""

    def drop(self, subscription: ConversationSubscription) -> None:
        """Nothing is kept."""


def nowhere() -> Heads:
    """Return the rows of a gateway at which nobody's inbox is open."""
    nobody = None
    return Heads(
        nobody,  # type: ignore[arg-type] # nobody is asked
        Ring(),
        spawn=lambda work: work.close(),
        clock=ManualClock(),
    )
