"""The reference client keeps the rules of a stream that the conformance cases write down."""

import asyncio
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from typing_extensions import override

from contracts.frames import CLIENT_FRAME, SERVER_FRAME
from rehearsal.streams import Answer, Frame, Stream

pytestmark = pytest.mark.unit

NAME: Final = "conv:1"
FILE: Final = Path(__file__).parents[3] / "contracts" / "conformance" / "streams.json"
CASES: Final[list[dict[str, Any]]] = json.loads(FILE.read_text())


class ManualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock moves when told."""

    now_s = 0.0

    @override
    def time(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        """Let time pass, and what became due with it happen."""
        self.now_s += seconds
        for _ in range(3):
            self.run_until_complete(asyncio.sleep(0))


class Chance(random.Random):
    """Says what it was told to say, over and over."""

    def __init__(self, said: Iterable[float]) -> None:
        super().__init__()
        self._said = list(said)

    @override
    def random(self) -> float:
        self._said.append(self._said.pop(0))
        return self._said[-1]


class Player:
    """A stream under one case."""

    def __init__(self, case: dict[str, Any], loop: ManualLoop) -> None:
        self._loop = loop
        self._written: list[dict[str, Any]] = []
        self._shown: list[str] = []
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self._stream = Stream(
            NAME, lambda frame: self._written.append({**frame}), Chance(case.get("random", [0.0]))
        )

    def play(self, step: dict[str, Any]) -> None:
        """Do one step, or compare what it expects."""
        match step:
            case {"do": what}:
                self._loop.run_until_complete(self._do(what, step))
            case {"recv": told}:
                self._loop.run_until_complete(self._receive(told))
            case {"advance_ms": passed}:
                self._loop.advance(passed / 1_000)
            case {"expect_send": expected}:
                assert self._sends() == [_expected(one) for one in expected]
            case {"expect_sub": place}:
                assert self._stream.subscribe_frame() == {"t": "sub", "s": NAME} | {
                    key: tuple(position) for key, position in place.items()
                }
            case {"expect_shown": ids}:
                assert self._shown == ids
            case {"expect_shown_count": count}:
                assert len(self._shown) == count
            case {"expect_answers": codes}:
                assert {one: self._answers[one].result().code for one in codes} == codes
            case _:
                pytest.fail(f"an unknown step: {step}")

    async def _do(self, what: str, step: dict[str, Any]) -> None:
        match what:
            case "send":
                self._answers[step["id"]] = self._stream.send(_send(step["id"]))
            case "joined":
                self._stream.live.set()
                self._stream.resend()
            case "cut":
                self._stream.live.clear()
            case "resync":
                self._stream.position = None
                self._stream.live.clear()
            case "events":
                for offset in range(step["first"], step["last"] + 1):
                    self._show(Frame(id=f"m{offset}", position=(1, offset)))
            case _:
                pytest.fail(f"nothing to do: {what}")

    async def _receive(self, told: dict[str, Any]) -> None:
        frame = msgspec.convert(told, Frame)
        if frame.t == "ev":
            self._show(frame)
        elif frame.t == "snap":
            self._shown += [str(item.id) for item in self._stream.snapshot(frame)]
        else:
            self._stream.answer(frame)

    def _show(self, frame: Frame) -> None:
        if self._stream.event(frame):
            self._shown.append(str(frame.id))

    def _sends(self) -> list[dict[str, Any]]:
        """Return what was written since the last look."""
        written, self._written = self._written, []
        return written


def _send(client_id: str, *, again: bool = False) -> dict[str, Any]:
    frame = {"t": "send", "id": client_id, "s": NAME, "kind": "text", "d": {"text": client_id}}
    return frame | {"again": True} if again else frame


def _expected(sent: dict[str, Any]) -> dict[str, Any]:
    return _send(sent["id"], again=sent.get("again", False))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_reference_client_conforms(case: dict[str, Any]) -> None:
    loop = ManualLoop()
    try:
        player = Player(case, loop)
        for step in case["steps"]:
            player.play(step)
    finally:
        loop.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_case_speaks_the_protocol(case: dict[str, Any]) -> None:
    for step in case["steps"]:
        if "recv" in step:
            SERVER_FRAME.validate_json(json.dumps(step["recv"]))
        for sent in step.get("expect_send", ()):
            CLIENT_FRAME.validate_json(json.dumps(_expected(sent)))


def test_no_two_cases_are_of_one_name() -> None:
    names = [case["name"] for case in CASES]

    assert len(set(names)) == len(names) >= 40
