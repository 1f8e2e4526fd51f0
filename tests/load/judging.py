"""A bench as its test meets it: how many rounds, and what becomes of its ratios."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.load import ratios
from tests.load.ratios import Ratio


@dataclass(frozen=True, slots=True)
class Bench:
    """`check` holds what was found against `docs/capacity.md`; else it is only told."""

    name: str
    check: bool

    @property
    def rounds(self) -> int:
        """How often each side is measured."""
        return ratios.ROUNDS_OF_A_CHECK if self.check else ratios.ROUNDS

    def report(self, title: str, found: Sequence[Ratio], figures: Mapping[str, Any]) -> None:
        """Print and store; with `check`, fail and say what is worse than it was."""
        ratios.report(title, self.name, found, figures)
        if not self.check:
            return
        if worse := ratios.worse(found, ratios.references(self.name)):
            pytest.fail("; ".join(worse), pytrace=False)
