"""What of a large shop's board is pushed."""

from datetime import UTC, datetime
from random import Random

import pytest

from contracts.monitor import AgentTile, BoardPublished, ResponseFigures
from contracts.people import AgentState, PersonId, ShopId
from kit.bus.ports import MESSAGE_BYTES, message_of
from services.monitor.boards.domain import BOARD_BYTES, pushed

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 11, tzinfo=UTC)
YEAR_MS = 365 * 86_400_000
LONGEST_NAME = "\U00020000" * 80


def figures(number: int) -> ResponseFigures:
    """Return figures as large as a whole shop's of a year."""
    many = 10**8
    return ResponseFigures(
        profile=f"profile_{number:032}",
        rounds=many,
        round_ms=many * 60_000,
        unanswered=many,
        first_responses=many,
        first_response_ms=many * 60_000,
        first_within_30s=many,
        sessions=many,
        first_within=many,
        first_within_s=86_400,
    )


def tile(number: int, *, breaching: int = 0, waits_ms: int = 0, profiles: int = 1) -> AgentTile:
    return AgentTile(
        agent_id=PersonId(f"01a22ee6-afff-75a9-8d3f-{number:012}"),
        name=LONGEST_NAME,
        state=AgentState.ONLINE,
        open_conversations=10_000,
        longest_wait_ms=waits_ms,
        breaching=breaching,
        figures=tuple(map(figures, range(profiles))),
    )


def board(agents: tuple[AgentTile, ...], *, profiles: int = 1) -> BoardPublished:
    return BoardPublished(
        id="01a22ee6-afff-75a9-8d3f-5aeb0b2e2d6b",
        time=NOW,
        shop_id=ShopId("shop"),
        as_of=NOW,
        delayed_ms=YEAR_MS,
        messages=10**9,
        open_conversations=10**6,
        waiting=10**6,
        longest_wait_ms=YEAR_MS,
        flags_agent=10**6,
        flags_buyer=10**6,
        held=10**6,
        figures=tuple(map(figures, range(profiles))),
        agents=agents,
        waiting_longest=(),
    )


@pytest.mark.parametrize("profiles", [0, 1, 3, 8, 16])
def test_the_board_of_five_thousand_agents_fits_into_a_message(profiles: int) -> None:
    agents = tuple(tile(number, profiles=profiles) for number in range(5_000))

    shown = pushed(board(agents, profiles=profiles))

    body = message_of(shown).value
    assert body is not None
    assert BOARD_BYTES / 2 < len(body) <= BOARD_BYTES < MESSAGE_BYTES
    assert len(shown.agents) + shown.agents_left_out == len(agents)


def test_who_has_to_be_looked_at_is_on_it() -> None:
    calm = [tile(number) for number in range(2_000)]
    late = [tile(2_000 + number, breaching=1, waits_ms=200_000) for number in range(20)]
    waiting = [tile(3_000 + number, waits_ms=1_000 + number) for number in range(20)]
    mixed = [*calm, *late, *waiting]
    Random(7).shuffle(mixed)

    shown = pushed(board(tuple(mixed)))

    assert {*late, *waiting} <= {*shown.agents}
    assert [one for one in mixed if one in shown.agents] == [*shown.agents]


def test_a_board_that_fits_is_pushed_as_it_is() -> None:
    small = board(tuple(tile(number, profiles=3) for number in range(30)), profiles=3)

    assert pushed(small) is small
