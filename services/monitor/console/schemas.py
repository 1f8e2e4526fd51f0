"""What a screen is told of its shop. All waits are in seconds."""

from profiles import Levels, Title, WindowBy
from services.monitor.access.schemas import Answer


class ShopFacts(Answer):
    """Whose screen it is; `zone` is the IANA name of the shop's time zone."""

    id: str
    name: str
    zone: str


class WindowFacts(Answer):
    """The part of a local day that a profile counts: `HH:MM` to `24:00`, end excluded."""

    by: WindowBy
    start: str
    end: str


class ProfileFacts(Answer):
    """A profile that measures the shop, as it rules today."""

    name: str
    title: Title
    window: WindowFacts
    levels: Levels | None


class CategoryFacts(Answer):
    """A wording category, and what the shop's policy does to the worst of its words."""

    code: str
    zh: str
    en: str
    action: str


class ConsoleFacts(Answer):
    """What a screen must know of its shop before it shows anything.

    `levels_profile` names the first of the shop's profiles that has levels; None if none has.
    """

    shop: ShopFacts
    profiles: list[ProfileFacts]
    levels_profile: str | None
    categories: list[CategoryFacts]
