"""A bench as its test meets it: how many rounds, and what becomes of its ratios."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.load import ratios
from tests.load.ratios import Ratio
from tests.load.warming import SECONDS

ROUNDS_AGAINST: Final = 4
RATES: Final = (200.0, 800.0, 2_000.0)


@dataclass(frozen=True, slots=True)
class Bench:
    """`check` holds what was found against `docs/capacity.md`; else it is only told.

    `warm_up_s` is how long traffic runs before the first measurement. Against another checkout,
    `rates` are messages a second, and `highest` asks for the highest rate as well.
    """

    name: str
    check: bool
    chosen_rounds: int | None = None
    warm_up_s: float = SECONDS
    rates: Sequence[float] = RATES
    highest: bool = False

    @property
    def rounds(self) -> int:
        """How often each side is measured."""
        usual = ratios.ROUNDS_OF_A_CHECK if self.check else ratios.ROUNDS
        return self.chosen_rounds or usual

    @property
    def rounds_against(self) -> int:
        """The same against another checkout: as many forth as back, and one may be disturbed."""
        return self.chosen_rounds or ROUNDS_AGAINST

    def report(
        self, title: str, found: Sequence[Ratio], figures: Mapping[str, Any], *, part: str = ""
    ) -> None:
        """Print and store; with `check`, fail and say what is worse than it was.

        A bench of several parts stores each in a file of its own.
        """
        ratios.report(title, f"{self.name}-{part}" if part else self.name, found, figures)
        if not self.check:
            return
        if worse := ratios.worse(found, ratios.references(self.name)):
            pytest.fail("; ".join(worse), pytrace=False)
