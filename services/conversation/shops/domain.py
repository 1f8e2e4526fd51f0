"""Shops: what is known of them, and what the directory tells of one (H13).

Pure; holds no secret.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from contracts.conversation import ShopListed, Timing
from contracts.people import PLATFORM, ShopId
from services.conversation.domain import Stamp

FIRST_SECRET: Final = 1
"""The version of the secret with which a shop begins."""

USUAL: Final = Timing()
"""The waits of a shop that has set none."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A tenant. `policy` and `widget` hold what it decided as `directory.shop` carries it."""

    id: ShopId
    name: str
    time_zone: str = "Asia/Shanghai"
    active: bool = True
    secret_version: int = FIRST_SECRET
    policy: dict[str, Any] = field(default_factory=dict)
    widget: dict[str, Any] = field(default_factory=dict)
    timing: Timing = USUAL
    version: int = 1

    @property
    def lets_buyers_in(self) -> bool:
        """Whether somebody may come to buy here; the platform itself is no shop."""
        return self.active and self.id != PLATFORM


def by_column(timing: Timing) -> dict[str, int | None]:
    """Return a shop's waits as they are kept, each under a name of its own."""
    return timing.model_dump(exclude={"handoff"}) | {"handoff_offer_s": timing.handoff.offer_s}


def listed_shop(shop: Shop, stamp: Stamp) -> ShopListed:
    """Return the directory's entry of a shop."""
    return ShopListed(
        id=stamp.ids.new(),
        time=stamp.at,
        shop_id=shop.id,
        name=shop.name,
        time_zone=shop.time_zone,
        active=shop.active,
        timing=shop.timing,
        version=shop.version,
        **shop.policy,
        **shop.widget,
    )
