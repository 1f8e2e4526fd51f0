"""The reference client comes back as the conformance cases of connections write down."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import pytest

from rehearsal import wire
from rehearsal.client import Client
from rehearsal.streams import Frame
from tests.unit.rehearsal.test_conformance import Chance, ManualLoop

pytestmark = pytest.mark.unit

FILE: Final = Path(__file__).parents[3] / "contracts" / "conformance" / "connections.json"
CASES: Final[list[dict[str, Any]]] = json.loads(FILE.read_text())
DAY_MS: Final = 86_400_000
LIMITS: Final = {"frames_per_s": 20, "burst": 40, "chars_per_frame": 500, "bytes_per_frame": 4096}


class Line:
    """A connection that nobody is behind."""

    def __init__(self) -> None:
        self.is_disconnected = False
        self.underlying_transport = self
        self._lost = asyncio.get_running_loop().create_future()

    async def wait_disconnected(self) -> None:
        """Wait for the end of the connection."""
        await asyncio.shield(self._lost)

    def send(self, *_frame: object) -> None:
        """Take what is written."""

    def send_close(self, *_why: object) -> None:
        """Take the client's goodbye."""

    def abort(self) -> None:
        """End without a goodbye."""
        self.disconnect()

    def disconnect(self) -> None:
        """End."""
        self.is_disconnected = True
        if not self._lost.done():
            self._lost.set_result(None)


class Player:
    """A client whose every try is told how it ends."""

    def __init__(self, case: dict[str, Any], loop: ManualLoop) -> None:
        self._loop = loop
        self._client = Client("ws://gateway", "token", rng=Chance([case["random"]]))
        self._opening = loop.create_task(self._client.open())
        self.lines: list[Line] = []

    async def opened(self, *_where: object, **_patience: object) -> Line:
        """Stand in for `wire.opened`."""
        self.lines.append(Line())
        return self.lines[-1]

    def play(self, one: dict[str, Any]) -> None:
        """Let the latest try end as told, and compare when the next one comes."""
        self.advance(0)
        before, pause_ms = len(self.lines), one["then_ms"]
        if one.get("ready"):
            self._client.received(Frame(t="ready", limits=LIMITS))
            self.advance(0)
        self._client.disconnected(one["closed"])
        self.lines[-1].disconnect()
        self.advance(0)

        self.advance((pause_ms or DAY_MS) - 1)
        assert len(self.lines) == before
        self.advance(1)
        assert len(self.lines) == before + (pause_ms is not None)

    def advance(self, passed_ms: float) -> None:
        """Let time pass, and all that follows happen."""
        self._loop.advance(passed_ms / 1_000)
        for _ in range(5):
            self._loop.advance(0)

    def end(self) -> None:
        """Leave nothing running."""
        self._opening.cancel()
        self._loop.run_until_complete(self._client.close())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_reference_client_comes_back_by_the_cases(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = ManualLoop()
    player = Player(case, loop)
    monkeypatch.setattr(wire, "opened", player.opened)
    try:
        for one in case["tries"]:
            player.play(one)
    finally:
        player.end()
        loop.close()
