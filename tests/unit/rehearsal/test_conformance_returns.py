"""The reference client names its streams when it comes back as the conformance cases say."""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from typing_extensions import override

from contracts.frames import CLIENT_FRAME, SERVER_FRAME
from rehearsal import wire
from rehearsal.client import Client
from rehearsal.streams import Frame
from tests.unit.rehearsal.test_conformance import Chance, ManualLoop
from tests.unit.rehearsal.test_conformance_connections import Line

pytestmark = pytest.mark.unit

FILE: Final = Path(__file__).parents[3] / "contracts" / "conformance" / "returns.json"
CASES: Final[list[dict[str, Any]]] = json.loads(FILE.read_text())
LIMITS: Final = {"frames_per_s": 1_000, "burst": 1_000}
SOON_S: Final = 0.5


class Listening(Line):
    """A connection that remembers what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[dict[str, Any]] = []

    @override
    def send(self, *frame: object) -> None:
        text = frame[-1]
        assert isinstance(text, bytes)
        CLIENT_FRAME.validate_json(text)
        self.heard.append(json.loads(text))

    @property
    def named(self) -> list[tuple[str, Any]]:
        """Streams that were asked for here, by `hello` or by `sub`, and from which position."""
        resumed = [place for hello in self.heard for place in hello.get("resume", ())]
        asked = [frame for frame in self.heard if frame["t"] == "sub"]
        return [(place["s"], place.get("position")) for place in [*resumed, *asked]]


class Player:
    """A client, and a gateway that grants what it is asked for unless it is told not to."""

    def __init__(self, loop: ManualLoop) -> None:
        self._loop = loop
        self._client = Client("ws://gateway", "token", rng=Chance([0.0]))
        self._tasks = [loop.create_task(self._client.open())]
        self._lines: list[Listening] = []
        self._answered = 0

    async def opened(self, *_where: object, **_patience: object) -> Listening:
        """Stand in for `wire.opened`."""
        self._lines.append(Listening())
        return self._lines[-1]

    def begin(self) -> None:
        """Let the client connect."""
        self._turn()
        self._greet()

    def play(self, step: dict[str, Any]) -> None:
        """Do one step, or compare what it expects."""
        match step:
            case {"do": "follow" | "ask" as what, "s": name}:
                self._tasks.append(self._loop.create_task(self._client.subscribe(name)))
                self._turn()
                if what == "follow":
                    self._grant()
            case {"do": "leave", "s": name}:
                self._client.unsubscribe(name)
                self._turn()
            case {"do": "lost", "code": code}:
                self._lose(code)
            case {"recv": told}:
                self._tell(msgspec.convert(told, Frame))
                self._grant()
            case {"expect_named": places}:
                named = self._lines[-1].named
                assert sorted(named) == sorted(places.items(), key=lambda place: place[0])
            case _:
                pytest.fail(f"an unknown step: {step}")

    def end(self) -> None:
        """Leave nothing running."""
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(self._client.close())

    def _lose(self, code: int) -> None:
        before = len(self._lines)
        self._client.disconnected(code)
        self._lines[-1].disconnect()
        self._turn()
        self._loop.advance(SOON_S)
        self._turn()
        assert len(self._lines) == before + 1
        self._greet()

    def _greet(self) -> None:
        self._answered = 0
        self._tell(Frame(t="ready", limits=LIMITS))
        self._grant()

    def _grant(self) -> None:
        """Answer what is asked, also what is asked behind an answer."""
        heard = self._lines[-1].heard
        while self._answered < len(heard):
            frame = heard[self._answered]
            self._answered += 1
            if frame["t"] == "sub":
                self._tell(Frame(t="ok", id=frame["id"], d={"s": frame["s"]}))

    def _tell(self, frame: Frame) -> None:
        self._loop.call_soon(self._client.received, frame)
        self._turn()

    def _turn(self) -> None:
        for _ in range(5):
            self._loop.advance(0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_reference_client_names_its_streams_by_the_cases(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = ManualLoop()
    player = Player(loop)
    monkeypatch.setattr(wire, "opened", player.opened)
    try:
        player.begin()
        for step in case["steps"]:
            player.play(step)
    finally:
        player.end()
        loop.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_case_speaks_the_protocol(case: dict[str, Any]) -> None:
    for step in case["steps"]:
        if "recv" in step:
            SERVER_FRAME.validate_json(json.dumps(step["recv"]))
        resume = [
            {"s": name} if position is None else {"s": name, "position": position}
            for name, position in step.get("expect_named", {}).items()
        ]
        hello = {"t": "hello", "v": 1, "token": "token", "resume": resume[:64]}
        CLIENT_FRAME.validate_json(json.dumps(hello))
