"""Cards that every reader of a conversation knows: what they say, and what their buyer may press.

A card is a message that never changes. Who does not know its kind shows its `text`. A press is the
buyer's own command under a key made of the card's message and the action, so that it is done once;
what he pressed is told by a new card that names the old one.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.base import Moment

LABEL_CHARS: Final = 40
"""Characters (code points) of what stands on an action's button."""

ACTIONS: Final = 5
"""Actions of a card at most."""

Ref = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
"""An id: of what a card is about, or of a message."""

ROUTES: Final = {
    "order": {"confirm_address": "/v1/orders/{ref}/address-confirmation"},
    "rating": {"rate": "/v1/conversations/{ref}/rating"},
}
"""What may be pressed on each kind of card, and the command that it is."""


class Action(BaseModel):
    """Something that the buyer may press: `label` stands on the button, `route` is its command."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    label: str = Field(min_length=1, max_length=LABEL_CHARS)
    route: str


class Card(BaseModel):
    """What every kind says. With `answers` and `action` it is what the buyer pressed on another.

    `text` says all of it, masked, for whoever does not know the kind. Behind `valid_until` nothing
    is pressed any more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    card: str
    v: Literal[1] = 1
    ref: Ref
    text: str = Field(min_length=1)
    valid_until: Moment | None = None
    actions: tuple[Action, ...] = Field(default=(), max_length=ACTIONS, strict=False)
    answers: Ref | None = None
    action: str | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        routes = ROUTES[self.card]
        for one in self.actions:
            if routes.get(one.id, "").format(ref=self.ref) != one.route:
                raise ValueError("an action has the route that its kind gives it")
        if (self.answers is None) != (self.action is None):
            raise ValueError("an answer names a card and what was pressed on it")
        if self.action is not None and (self.actions or self.action not in routes):
            raise ValueError("an answer says one action of its kind, and offers none")
        return self


class OrderCard(Card):
    """An order, `ref` its id; the buyer may say that its address is right."""

    card: Literal["order"] = "order"


class RatingCard(Card):
    """Asks for stars, `ref` the conversation; the command's body says how many.

    Its answer is the score, which the log tells as `conversation.rated.v1`.
    """

    card: Literal["rating"] = "rating"


CARDS: Final[dict[str, type[Card]]] = {"order": OrderCard, "rating": RatingCard}
"""The kinds, by what stands in `card`. Another card is free JSON, and shows its `text`."""
