"""`just bench board`: what a supervisor is sent of his shop's board, whole and by totals and tiles.

A minute of looks at a busy shop, on a clock of its own, laid out and written as monitor and gateway
do: bytes are exact whatever the machine, and CPU time is of all ways in one run. Whole is a board
with everybody at every look; cut is what was pushed before there were tiles, as many agents as fit
400 KiB.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import process_time
from typing import Final

import pytest

from contracts.frames import FRAME_BYTES
from contracts.people import AgentState, ConversationId, PersonId, Role, ShopId
from kit.bus.ports import message_of
from services.gateway.frames import server
from services.monitor.boards import domain
from services.monitor.boards.layout import Envelope, Look, Rows, agent_of
from services.monitor.boards.repository import Today
from services.monitor.boards.tiles import Tiles
from services.monitor.directory.shops import Directory
from services.monitor.facts.repository import Seat
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Score
from services.monitor.response.repository import Load, Wait
from tests.load.judging import Bench
from tests.load.ratios import Ratio

pytestmark = [pytest.mark.load, pytest.mark.timeout(600)]

SECONDS: Final = 60
LOOK_MS: Final = 500
SAID_EVERY_S: Final = 4.0
"""An agent with eight buyers: so often something is said to him or by him."""

WAITING: Final = 0.3
"""Of all agents somebody waits for so many."""

NO_LIMIT, CUT_BYTES = 1 << 30, 400 * 1024
SHOPS: Final = ((200, 3), (500, 8))
LEAST_OF_WHOLE: Final = 5.0
"""So many times fewer bytes than whole boards are."""

SHOP: Final = ShopId("0913cc6e-2da9-81b3-b80a-7785d6bbe5b2")
ENVELOPE: Final = Envelope(
    "01a22ee6-afff-75a9-8d3f-5aeb0b2e2d6b", datetime(2026, 11, 11, tzinfo=UTC)
)
BEGIN_MS: Final = 1_794_355_200_000


@dataclass(frozen=True, slots=True)
class Way:
    """What one way of telling a board cost in all looks."""

    octets: int
    frames: int
    largest: int
    cpu_s: float

    def summary(self) -> dict[str, float]:
        """Return it per second."""
        return {
            "bytes_per_s": round(self.octets / SECONDS),
            "frames_per_s": round(self.frames / SECONDS, 1),
            "largest_frame": self.largest,
            "cpu_ms_per_s": round(self.cpu_s * 1000 / SECONDS, 1),
        }


class Peak:
    """A shop at its peak, whose agents are talked to at random."""

    def __init__(self, agents: int, profiles: int, seed: int) -> None:
        self._rng = random.Random(seed)
        self._names = [ProfileName(f"profile_{number}") for number in range(profiles)]
        self._ids = [PersonId(f"01a22ee6-afff-75a9-8d3f-{number:012}") for number in range(agents)]
        self._waits: dict[PersonId, int] = {}
        self._scores: dict[tuple[ProfileName, PersonId | None], Score] = {
            (name, agent): Score(rounds=80, round_ms=2_000_000, sessions=30, first_within=28)
            for name in self._names
            for agent in self._ids
        }

    def looks(self) -> Iterator[Look]:
        """Yield the shop's board at every look."""
        chance = LOOK_MS / 1000 / SAID_EVERY_S
        for number in range(SECONDS * 1000 // LOOK_MS):
            now_ms = BEGIN_MS + number * LOOK_MS
            for agent in self._ids:
                if self._rng.random() < chance:
                    self._said(agent, now_ms)
            yield self._look(now_ms)

    def _said(self, agent: PersonId, now_ms: int) -> None:
        if self._rng.random() < WAITING:
            self._waits[agent] = now_ms
            return
        self._waits.pop(agent, None)
        for name in self._names:
            known = self._scores[name, agent]
            more = self._rng.randrange(5_000, 90_000)
            self._scores[name, agent] = known + Score(rounds=1, round_ms=more)

    def _look(self, now_ms: int) -> Look:
        rows = Rows(
            today=Today(100_000, 3, 9, 2, now_ms),
            loads=[
                Load(agent, 8, agent in self._waits, self._waits.get(agent), 0)
                for agent in self._ids
            ],
            waits=sorted(
                (
                    Wait(ConversationId(f"{agent}"), agent, since)
                    for agent, since in self._waits.items()
                ),
                key=lambda wait: wait.since_ms,
            )[:20],
            seats=[
                Seat(agent, f"客服{number}号", Role.AGENT, AgentState.ONLINE, BEGIN_MS)
                for number, agent in enumerate(self._ids)
            ],
            totals=dict(self._scores),
            first_within_s=dict.fromkeys(self._names, 30),
            caught_up_ms=now_ms,
        )
        return Look(SHOP, rows, now_ms, frozenset(self._ids), Directory().person)


def told_whole(looks: Sequence[Look], limit: int) -> Way:
    """Tell whole boards."""
    began, sizes = process_time(), []
    for look in looks:
        board = domain.pushed(look.board(ENVELOPE), limit)
        sizes.append(len(server.patch(f"monitor:{SHOP}", message_of(board).value or b"")))
    return Way(sum(sizes), len(sizes), max(sizes), process_time() - began)


def told_in_parts(looks: Sequence[Look]) -> Way:
    """Tell totals and tiles; the first look, which has everybody, is everybody's join."""
    told, sizes = Tiles(), []
    began = process_time()
    for look in looks:
        tiles = look.tiles()
        changed, _ = told.due(SHOP, tiles, look.now_ms)
        events = [agent_of(SHOP, tile, ENVELOPE) for tile in changed]
        told.told(SHOP, changed, look.now_ms)
        for shop, again in told.again(look.now_ms):
            events += [agent_of(shop, tile, ENVELOPE) for tile in again]
            told.told(shop, again, look.now_ms)
        s = f"board:{SHOP}"
        frames = [
            server.patch(s, message_of(event).value or b"", key=event.agent_id.encode())
            for event in events
        ]
        totals = message_of(look.totals(tiles, ENVELOPE)).value or b""
        sizes += [len(frame) for frame in (*frames, server.patch(s, totals))]
    return Way(sum(sizes), len(sizes), max(sizes), process_time() - began)


def test_a_board_by_totals_and_tiles_against_the_whole(bench: Bench) -> None:
    found: list[Ratio] = []
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for agents, profiles in SHOPS:
        rounds = [list(Peak(agents, profiles, seed).looks()) for seed in range(bench.rounds)]
        whole = [told_whole(looks, NO_LIMIT) for looks in rounds]
        cut = [told_whole(looks, CUT_BYTES) for looks in rounds]
        parts = [told_in_parts(looks) for looks in rounds]
        name = f"{agents} agents, {profiles} profiles"
        assert max(way.largest for way in parts) < FRAME_BYTES
        found += [
            Ratio(
                f"{name}: bytes, whole to parts",
                [a.octets / b.octets for a, b in zip(whole, parts, strict=True)],
                LEAST_OF_WHOLE,
            ),
            Ratio(
                f"{name}: bytes, cut to parts",
                [a.octets / b.octets for a, b in zip(cut, parts, strict=True)],
            ),
            Ratio(
                f"{name}: CPU of monitor, whole to parts",
                [a.cpu_s / b.cpu_s for a, b in zip(whole, parts, strict=True)],
            ),
        ]
        told = {"whole": whole, "cut": cut, "parts": parts}
        figures[name] = {way: rounds_of[0].summary() for way, rounds_of in told.items()}
    bench.report("Board: what a supervisor is sent, whole and in parts", found, figures)
    for name, ways in figures.items():
        for way, figure in ways.items():
            sys.stdout.write(f"  {name}, {way}: {figure}\n")
