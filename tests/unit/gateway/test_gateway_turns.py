"""How much of one socket, and of what waited for look-ups, is taken before others have their turn.

Work between two turns of the event loop is counted, no time measured.
"""

import asyncio
from typing import Any, cast

import msgspec
import pytest
from picows import WSCloseCode, WSFrame, WSMsgType, WSTransport

from contracts.frames import BYTES_PER_FRAME, FRAME_BYTES, TEXT_CHARS
from kit.clock import ManualClock
from services.gateway.frames import client
from services.gateway.hub import ConversationSubscription
from services.gateway.inbound.turns import SendTurns
from services.gateway.limits import FRAMES_A_TURN, FairTurns, Rate, SharedRates
from services.gateway.sockets.connection import Connection
from services.gateway.sockets.port import Receiver, Registry
from services.gateway.sockets.turns import LoopTurns

pytestmark = pytest.mark.unit


class Desk:
    """Stands for dispatcher and registry: every message weighs what its text says."""

    def __init__(self) -> None:
        self.turns = LoopTurns()
        self.taken: list[int] = []

    def opened(self, connection: Connection) -> None:
        """Nobody is counted here."""

    def left(self, connection: Connection) -> None:
        """Nobody is counted here."""

    def message(self, connection: Connection, payload: bytes) -> int:
        """Take a message."""
        self.taken.append(int(payload))
        return int(payload)


class Line:
    """Stands for picows' transport and for the one under it."""

    request = response = cast("Any", type("Head", (), {"headers": None}))

    def __init__(self) -> None:
        self.reads = True
        self.said: list[WSCloseCode] = []

    @property
    def underlying_transport(self) -> "Line":
        """Both are one here."""
        return self

    def get_extra_info(self, name: str) -> None:
        """There is no socket."""

    def is_closing(self) -> bool:
        """It stays open."""
        return False

    def pause_reading(self) -> None:
        """Nothing is read."""
        self.reads = False

    def resume_reading(self) -> None:
        """Reading goes on."""
        self.reads = True

    def send_close(self, code: WSCloseCode) -> None:
        """A goodbye."""
        self.said.append(code)

    def disconnect(self) -> None:
        """The end."""


class Came:
    """A frame of the peer."""

    fin, rsv1, rsv2, rsv3 = True, False, False, False

    def __init__(self, text: str, kind: WSMsgType = WSMsgType.TEXT) -> None:
        self.msg_type = kind
        self._text = text

    def get_payload_as_bytes(self) -> bytes:
        """Return the payload."""
        return self._text.encode()

    def get_close_code(self) -> WSCloseCode:
        """Return the code of a close frame."""
        return WSCloseCode.OK


class Socket:
    """One connection of a desk."""

    def __init__(self, desk: Desk) -> None:
        self.line = Line()
        self.connection = Connection(
            cast("Receiver", desk), cast("Registry", desk), address="a", bearer=None
        )
        self.connection.on_ws_connected(cast("WSTransport", self.line))

    def comes(self, *frames: Came) -> None:
        """Feed frames as one read brings them."""
        for frame in frames:
            self.connection.on_ws_frame(cast("WSTransport", self.line), cast("WSFrame", frame))


async def test_a_socket_is_taken_eight_frames_a_turn_and_read_no_further_meanwhile() -> None:
    desk = Desk()
    flood, other = Socket(desk), Socket(desk)
    flood.comes(*[Came("1") for _ in range(20)], Came("", WSMsgType.CLOSE))
    other.comes(Came("1"))
    assert desk.taken == [1] * (FRAMES_A_TURN + 1)
    assert (flood.line.reads, other.line.reads) == (False, True)

    await asyncio.sleep(0)
    assert len(desk.taken) == 2 * FRAMES_A_TURN + 1
    other.comes(Came("1"))
    assert len(desk.taken) == 2 * FRAMES_A_TURN + 2

    await asyncio.sleep(0)
    assert len(desk.taken) == 22
    assert flood.line.reads
    assert flood.line.said == [WSCloseCode.OK]


async def test_heavy_frames_fill_a_turn_sooner_and_keep_their_order() -> None:
    desk = Desk()
    flood = Socket(desk)
    flood.comes(Came("4"), Came("4"), Came("16"), Came("1"), Came("2"))
    assert desk.taken == [4, 4]
    for expected in ([4, 4, 16], [4, 4, 16, 1, 2]):
        await asyncio.sleep(0)
        assert desk.taken == expected


async def test_who_leaves_takes_along_what_waited() -> None:
    desk = Desk()
    flood = Socket(desk)
    flood.comes(*[Came("1") for _ in range(20)])
    flood.connection.on_ws_disconnected(cast("WSTransport", flood.line))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(desk.taken) == FRAMES_A_TURN


async def test_what_waited_for_look_ups_is_taken_a_turns_worth_for_all_seats_together() -> None:
    left = {"a": [4] * 5, "b": [1] * 3, "c": []}
    taken: list[str] = []

    def take_one(subscription: ConversationSubscription) -> tuple[int, bool]:
        name = str(subscription)
        if not left[name]:
            return 0, False
        taken.append(name)
        return left[name].pop(), True

    turns = SendTurns(take_one)
    for name in left:
        turns.add(cast("ConversationSubscription", name))
    seen = []
    while turns:
        await asyncio.sleep(0)
        seen.append("".join(taken))
    assert seen == ["aa", "aaaa", "aaaaabbb"]


async def test_a_send_that_fails_holds_up_no_other_seat() -> None:
    taken: list[str] = []

    def take_one(subscription: ConversationSubscription) -> tuple[int, bool]:
        taken.append(str(subscription))
        if str(subscription) == "bad":
            raise ValueError
        return 1, False

    heard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    turns = SendTurns(take_one)
    for name in ("bad", "good"):
        turns.add(cast("ConversationSubscription", name))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (taken, len(heard), len(turns)) == (["bad", "good"], 1, 0)


# ---- what a frame weighs, and on whose bucket


@pytest.mark.parametrize(
    ("kind", "d", "wanted"),
    [
        ("text", {"text": "x"}, 1),
        ("text", {"text": "x" * 500}, 1),
        ("text", {"text": "字" * 501}, 2),
        ("text", {"text": "字" * TEXT_CHARS}, 4),
        ("text", {"text": "𠮷" * TEXT_CHARS}, 4),
        ("text", {"text": "x" * (TEXT_CHARS + 1)}, 4),
        ("card", {"sizes": [0] * 31_000}, 16),
    ],
)
def test_a_frame_weighs_by_its_words_and_by_its_bytes(kind: str, d: object, wanted: int) -> None:
    payload = msgspec.json.encode(
        {"t": "send", "id": "aaaaaaaa", "s": "conv:c", "kind": kind, "d": d}
    )
    assert client.weight(client.read(payload), len(payload)) == wanted


def test_what_is_no_frame_weighs_by_its_bytes() -> None:
    assert client.weight(None, BYTES_PER_FRAME) == 1
    assert client.weight(None, FRAME_BYTES) == 16


def test_all_sockets_of_a_person_share_a_bucket_that_outlives_them() -> None:
    rates = SharedRates(Rate(20, 40), ManualClock())
    assert sum(rates.of("a").take() for _ in range(100)) == 40
    assert not rates.of("a").take()
    assert rates.of("b").take()


async def test_one_person_holds_a_part_of_the_turns_and_others_pass() -> None:
    turns, hold = FairTurns(everybody=4, each=2, wait_s=60), asyncio.Event()
    served: list[str] = []

    async def join(subject: str) -> None:
        async with turns.of(subject):
            served.append(subject)
            await hold.wait()

    storm = [asyncio.create_task(join("a")) for _ in range(10)]
    others = [asyncio.create_task(join(name)) for name in ("b", "c", "d")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert served == ["a", "a", "b", "c"]

    hold.set()
    await asyncio.gather(*storm, *others)
    assert sorted(served) == ["a"] * 10 + ["b", "c", "d"]
    assert len(turns) == 0


async def test_of_who_waits_the_newest_goes_first_and_who_is_at_his_limit_is_passed_over() -> None:
    turns, served = FairTurns(everybody=2, each=1, wait_s=60), list[str]()
    ends = {name: asyncio.Event() for name in ("a1", "b1", "a2", "c1", "c2", "b2", "d1")}

    async def join(name: str) -> None:
        async with turns.of(name[0]):
            served.append(name)
            await ends[name].wait()

    tasks = []
    for name in ends:
        tasks.append(asyncio.create_task(join(name)))
        await asyncio.sleep(0)
    for name in ("a1", "d1", "b1", "b2", "c2", "c1", "a2"):
        ends[name].set()
        await asyncio.sleep(0.001)

    await asyncio.gather(*tasks)
    assert served == ["a1", "b1", "d1", "c2", "b2", "a2", "c1"]
    assert len(turns) == 0


async def test_nobody_waits_longer_for_a_turn_than_is_said_and_none_is_lost_by_leaving() -> None:
    turns, hold = FairTurns(everybody=1, each=1, wait_s=0.01), asyncio.Event()

    async def join(subject: str) -> None:
        async with turns.of(subject):
            await hold.wait()

    holder = asyncio.create_task(join("a"))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await join("b")
    turns._wait_s = 60  # the steps that follow are no wait
    waiting, granted = asyncio.create_task(join("c")), asyncio.create_task(join("d"))
    await asyncio.sleep(0)
    hold.set()
    await asyncio.sleep(0)
    granted.cancel()  # in the step in which he is given the turn: it goes on to who still waits
    await asyncio.gather(holder, waiting)

    assert granted.cancelled()
    assert len(turns) == 0
