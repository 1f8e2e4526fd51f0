"""The board over REST. Durations are whole milliseconds; sums stand beside counts."""

from contracts.monitor import BoardPublished


class Board(BoardPublished):
    """The supervisor board of one shop, as it is pushed on `monitor:<shop>`.

    A subclass without a `type` of its own, so that it is no second event.
    """
