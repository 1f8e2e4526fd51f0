"""Shops on the wire."""

from functools import cache
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from contracts.conversation import Handoff, Timing
from contracts.origins import LONGEST, may_embed
from kit.web.app import Body
from services.conversation.access.schemas import Name, View
from services.conversation.staff.schemas import NewLogin
from wording import Action, Category

_OF_NO_PLACE: Final = frozenset({"Factory", "localtime"})
"""Names that a system may keep beside its zones: the second is the machine's own, which is another
one wherever a reader runs, and browsers know neither."""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _OF_NO_PLACE


def _known_zone(name: str) -> str:
    """Refuse what names no time zone of the world: every reader of the shop would fail on it.

    A system has more files than that: those with leap seconds put midnight half a minute off.
    """
    if name not in _zones():
        raise ValueError("no time zone has this name")
    return name


Gap = Annotated[int, Field(ge=0, le=86_400)]


class HandoffChange(Body):
    """How long a buyer waits for his agent until a colleague is asked; null: nobody is."""

    offer_s: int | None = Field(ge=5, le=3600)


class TimingChange(Body):
    """A shop's own waits, in seconds; what is absent stays.

    `reopen_gap_s`: who comes back within it after the close goes on in the same conversation.
    `idle_close_s`: so long after the last word, and nobody waits, a conversation is closed.
    `abandon_s`: so long after a word that nobody answered it is closed as unanswered.
    `silence_s`: a silent agent who is online loses a waiting buyer after it.
    `overflow_s`: after this wait any agent of the shop may help a group without room.
    `handoff`: after which wait a colleague is asked to answer in the agent's place.
    """

    reopen_gap_s: Gap | None = None
    idle_close_s: int | None = Field(default=None, ge=60, le=7 * 86_400)
    abandon_s: int | None = Field(default=None, ge=600, le=30 * 86_400)
    silence_s: int | None = Field(default=None, ge=30, le=86_400)
    overflow_s: Gap | None = None
    handoff: HandoffChange | None = None

    def after(self, before: Timing) -> Timing:
        """Return the waits of a shop that had those before."""
        said = self.model_dump(exclude_none=True, exclude={"handoff"})
        if self.handoff is not None:
            said["handoff"] = Handoff(offer_s=self.handoff.offer_s)
        return before.model_copy(update=said)


class HandoffView(View):
    """How long a buyer waits for his agent until a colleague is asked; null: nobody is."""

    offer_s: int | None


class TimingView(View):
    """A shop's own waits, in seconds."""

    reopen_gap_s: int
    idle_close_s: int
    abandon_s: int
    silence_s: int
    overflow_s: int
    handoff: HandoffView


def _may_embed(origin: str) -> str:
    if not may_embed(origin):
        raise ValueError("name one site as browsers write it: https://shop.example, no path")
    return origin


Site = Annotated[str, AfterValidator(_may_embed), Field(max_length=LONGEST)]


class WidgetChange(Body):
    """Which sites may show the shop's chat in their pages, and how it greets there."""

    origins: tuple[Site, ...] = Field(default=(), max_length=20)
    greeting: str = Field(default="", max_length=200)

    def kept(self) -> dict[str, Any]:
        """Return what the shop keeps: each site once, where it first came."""
        origins = list(dict.fromkeys(self.origins))
        return {"widget_origins": origins, "widget_greeting": self.greeting}


class WidgetView(View):
    """Which sites may show the shop's chat in their pages, and how it greets there.

    `version` is the shop's: it moves with whatever else its leaders decide, too.
    """

    origins: tuple[str, ...]
    greeting: str
    version: int


class NewShop(Body):
    """A tenant to create, with its first administrator."""

    name: Name
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="Asia/Shanghai", max_length=64
    )
    admin_login: NewLogin
    admin_password: str = Field(min_length=8, max_length=256)


class ShopView(View):
    """A shop. `secret` is shown only to those who may sign buyers' tokens with it."""

    id: str
    name: str
    time_zone: str
    active: bool
    version: int
    policy: dict[str, Any]
    secret: str | None = None


class SecretView(View):
    """The secret with which a shop signs its buyers' tokens.

    The one before it stays valid until the next rotation.
    """

    shop_id: str
    version: int
    secret: str


class SecretRotated(View):
    """The shop's secret is a new one from now on."""

    shop_id: str
    version: int


class WordingPolicy(Body):
    """What a shop decides about wording; categories it does not name follow the house.

    To let abuse (insult, threat, discrimination) pass unasked, by a weaker action than `confirm`
    or by a span that holds some, needs a `reason`, which is audited; what passes is still flagged.
    """

    wording_actions: dict[Category, Action] = Field(default_factory=dict)
    wording_terms: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field(
        default=(), max_length=500
    )
    allow_spans: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field(
        default=(), max_length=500
    )
    profiles: tuple[Annotated[str, Field(max_length=40)], ...] | None = Field(
        default=None, max_length=16
    )
    reason: str | None = Field(default=None, min_length=1, max_length=200)

    def kept(self) -> dict[str, Any]:
        """Return what the shop keeps: each name and phrase once, where it first came."""
        fields = self.model_dump(mode="json", exclude_none=True, exclude={"reason"})
        return {
            name: list(dict.fromkeys(said)) if isinstance(said, list) else said
            for name, said in fields.items()
        }
