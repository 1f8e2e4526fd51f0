"""What makes a comparison fair: whose turn it is, and which measurements count."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

ENOUGH: Final = 3
"""So many measurements give a median; with fewer, disturbed ones are better than none."""


def turns(contestants: Sequence[T], number: int) -> Sequence[T]:
    """Return the order of a round, counted from 0: A B C, then C B A.

    What a machine becomes slower by, round after round, then hits everybody alike.
    """
    return contestants if number % 2 == 0 else contestants[::-1]


def counted(found: Sequence[T], disturbed: Callable[[T], bool]) -> Sequence[T]:
    """Return those that nothing disturbed if they are `ENOUGH`, else all."""
    calm = [one for one in found if not disturbed(one)]
    return calm if len(calm) >= ENOUGH else found
