"""The board over REST. Durations are whole milliseconds; sums stand beside counts."""

from datetime import date

from contracts.monitor import BoardAgent, BoardPublished, BoardTotals, ResponseFigures
from contracts.people import PersonId, ShopId
from services.monitor.access.schemas import Answer


class Board(BoardPublished):
    """The supervisor board of one shop, as it is pushed on `monitor:<shop>`.

    A subclass without a `type` of its own, so that it is no second event.
    """


class WholeBoard(Answer):
    """The supervisor board of one shop as `board:<shop>` carries it, all tiles at once."""

    totals: BoardTotals
    agents: list[BoardAgent]


class OwnDay(Answer):
    """Somebody's own figures of his shop's local day, under each profile of the shop.

    `profile` names the one that screens go by, which is the first that has waiting levels, else
    the first. Averages follow from the sums: `round_ms / rounds`, `first_response_ms /
    first_responses`, `first_within / sessions`. What is open counts once it is settled.
    """

    shop_id: ShopId
    agent_id: PersonId
    day: date
    profile: str | None
    figures: list[ResponseFigures]
