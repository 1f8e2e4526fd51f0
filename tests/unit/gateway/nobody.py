"""Stands for parts that have nothing to do in a test."""

from services.gateway.hub import ConversationSubscription


class NoLanes:
    """Nobody sends."""

    def hold(self, subscription: ConversationSubscription) -> None:
        """Nothing waits."""

    def resume(self, subscription: ConversationSubscription) -> None:
        """Nothing waited."""

    def drop(self, subscription: ConversationSubscription) -> None:
        """Nothing is kept."""
