"""Reads cards of the kinds that are registered; every other card is free JSON. Pure."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from contracts.cards import ACTIONS, LABEL_CHARS, ROUTES
from services.gateway.frames.refusals import BadFrame, Forbid

_Ref = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,64}\Z")]


class _Action(Struct, forbid_unknown_fields=True, gc=False):
    id: str
    label: Annotated[str, Meta(min_length=1, max_length=LABEL_CHARS)]
    route: str


class _Card(Struct, forbid_unknown_fields=True):
    card: str
    ref: _Ref
    text: Annotated[str, Meta(min_length=1)]
    v: Literal[1] = 1
    valid_until: Annotated[datetime, Meta(tz=True)] | None = None
    actions: Annotated[list[_Action], Meta(max_length=ACTIONS)] = []
    answers: _Ref | None = None
    action: str | None = None


class _Kind(Struct, gc=False):
    card: object = None


_kind: Final = msgspec.json.Decoder(_Kind)
_card: Final = msgspec.json.Decoder(_Card)


def refuse_unfit(d: bytes, *, is_buyer: bool) -> None:
    """Refuse a card of a known kind that its contract refuses (`contracts.cards`).

    Staff offer what may be pressed, buyers say what they pressed: nobody writes the other's.
    Raises `BadFrame`, `Forbid`.
    """
    kind = _kind.decode(d).card
    routes = ROUTES.get(kind) if isinstance(kind, str) else None
    if routes is None:
        return
    try:
        card = _card.decode(d)
    except msgspec.DecodeError:
        raise BadFrame(f"This is no card of the kind {kind}.") from None
    if (card.answers is not None) != is_buyer:
        raise Forbid
    offered = all(routes.get(one.id, "").format(ref=card.ref) == one.route for one in card.actions)
    pressed = card.action is None or (not card.actions and card.action in routes)
    if not offered or not pressed or (card.answers is None) != (card.action is None):
        raise BadFrame("The card has an action that its kind has not.")
