"""How much of a board is pushed: the agents of a large shop do not fit into one message.

Knows what a supervisor has to see first; must not know how a board comes about.
"""

from typing import Final

from contracts.monitor import AgentTile, BoardPublished
from contracts.people import AgentState

BOARD_BYTES: Final = 400 * 1024
"""Of a board at most; a message may have 512 KiB, and every supervisor gets each of them whole."""

TILE_BYTES: Final = 560
"""Of an agent with the longest name, without figures."""

FIGURES_BYTES: Final = 320
"""Of one profile's figures, with sums as large as a year makes them."""


def pushed(board: BoardPublished) -> BoardPublished:
    """Return a board as it is pushed: with all agents, or those who need to be looked at first.

    First are buyers who wait beyond the limit, then who waits longest, then who has most to do.
    """
    room = BOARD_BYTES // (TILE_BYTES + FIGURES_BYTES * len(board.figures))
    if len(board.agents) <= room:
        return board
    first = {tile.agent_id for tile in sorted(board.agents, key=_urgency)[:room]}
    shown = tuple(tile for tile in board.agents if tile.agent_id in first)
    return board.model_copy(
        update={"agents": shown, "agents_left_out": len(board.agents) - len(shown)}
    )


def _urgency(tile: AgentTile) -> tuple[int, int, bool, int, str]:
    is_offline = tile.state is AgentState.OFFLINE
    waiting = -tile.breaching, -tile.longest_wait_ms
    return *waiting, is_offline, -tile.open_conversations, tile.agent_id
