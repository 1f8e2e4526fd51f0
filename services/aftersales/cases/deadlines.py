"""What time alone brings to cases: warnings before a deadline.

The deadline's own consequence (the platform may agree in the shop's place) is the platform's.
"""

from services.aftersales.cases.service import BATCH, Warnings


class Sweep:
    """Raises every warning that is due."""

    def __init__(self, warnings: Warnings) -> None:
        self._warnings = warnings

    async def __call__(self) -> None:
        """Go on until fewer are due than fit into one transaction."""
        while await self._warnings.raise_due() == BATCH:
            pass
