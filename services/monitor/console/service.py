"""Tells what a screen must know of its shop, from memory alone. Must not know routes."""

from typing import Final

from contracts.people import ShopId
from kit.clock import Clock
from profiles import Title
from services.monitor.console.domain import CALLED
from services.monitor.console.schemas import (
    CategoryFacts,
    ConsoleFacts,
    ProfileFacts,
    ShopFacts,
    WindowFacts,
)
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Shop
from services.monitor.profiles.domain import Profile
from wording import Severity, Speaker

MINUTE_MS: Final = 60_000


class Console:
    """Reads the directory and the profiles. Asks no database: it answers while that is away."""

    def __init__(self, rules: Rules, *, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock

    def facts(self, shop_id: ShopId) -> ConsoleFacts:
        """Return what the shop's screens show; of one that is not listed, the house's rules."""
        shop = self._rules.directory.shop(shop_id)
        zone = shop.calendar.zone
        today = self._clock.now().astimezone(zone).date()
        ruling = (self._rules.book.in_force(name, today) for name in shop.profiles)
        profiles = [_profile(one) for one in ruling if one is not None]
        return ConsoleFacts(
            shop=ShopFacts(id=shop_id, name=shop.name, zone=str(zone)),
            profiles=profiles,
            levels_profile=next((one.name for one in profiles if one.levels), None),
            categories=_categories(shop),
        )


def _profile(profile: Profile) -> ProfileFacts:
    window = profile.window
    return ProfileFacts(
        name=profile.name,
        title=profile.title or Title(zh=profile.name, en=profile.name),
        window=WindowFacts(
            by=profile.window_by, start=_clock(window.start_ms), end=_clock(window.end_ms)
        ),
        levels=profile.levels,
    )


def _categories(shop: Shop) -> list[CategoryFacts]:
    return [
        CategoryFacts(
            code=code,
            zh=called.zh,
            en=called.en,
            action=shop.policy.action_for(code, Severity.HIGH, Speaker.AGENT),
        )
        for code, called in CALLED.items()
    ]


def _clock(into_day_ms: int) -> str:
    hours, minutes = divmod(into_day_ms // MINUTE_MS, 60)
    return f"{hours:02}:{minutes:02}"
