"""Stands for parts that have nothing to do in a test."""

from services.gateway.hub import Seat


class NoLanes:
    """Nobody sends."""

    def hold(self, seat: Seat) -> None:
        """Nothing waits."""

    def resume(self, seat: Seat) -> None:
        """Nothing waited."""

    def drop(self, seat: Seat) -> None:
        """Nothing is kept."""
