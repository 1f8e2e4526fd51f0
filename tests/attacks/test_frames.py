"""Every frame of the protocol twice, early, late, at its limits, in pieces and in company."""

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from contracts import frames as contract
from contracts.frames import CARD_DEPTH, TEXT_CHARS, CloseCode
from services.gateway.frames.client import URL_CHARS
from tests.attacks.attacker import Attacker, frame
from tests.attacks.cast import Cast
from tests.integration.gateway.phone import Phone
from tests.waiting import eventually
from tests.world import World

pytestmark = pytest.mark.journey

Shown = dict[str, Any]

QUIET = {"read", "typing"}
"""Frames that are never answered."""


@dataclass
class Talk:
    """A buyer's conversation and his token."""

    token: str
    stream: str
    fresh: str


@pytest.fixture
async def talk(world: World, cast: Cast) -> Talk:
    """A conversation of this test's own."""
    buyer = await world.visitor(cast.ours.shop(world))
    made = await buyer.call("POST", "/v1/conversations", {})
    fresh = (await world.api.renew(buyer.session)).token
    return Talk(buyer.session.token, f"conv:{made['id']}", fresh)


def seeds(talk: Talk) -> Mapping[str, Shown]:
    """Return a right frame of every type."""
    return {
        "hello": {"t": "hello", "v": 1, "token": talk.token},
        "sub": {"t": "sub", "id": "sub-id", "s": talk.stream},
        "unsub": {"t": "unsub", "id": "unsub-id", "s": talk.stream},
        "send": {
            "t": "send",
            "id": "send-id-1",
            "s": talk.stream,
            "kind": "text",
            "d": {"text": "在吗"},
        },
        "read": {"t": "read", "s": talk.stream, "position": [0, 1]},
        "typing": {"t": "typing", "s": talk.stream},
        "viewing": {"t": "viewing", "s": talk.stream, "on": True},
        "ping": {"t": "ping", "ts": "ping-id"},
        "token": {"t": "token", "id": "token-id", "token": talk.fresh},
    }


async def joined(attacker: Attacker, talk: Talk) -> Phone:
    """Return a socket that follows its conversation, and was shown it."""
    phone = await attacker.phone(talk.token)
    phone.say(t="sub", id="join", s=talk.stream)
    assert await phone.code("join") is None
    await phone.of("snap", s=talk.stream)
    return phone


async def lives(phone: Phone) -> None:
    """Assert that the socket still answers."""
    mark = uuid.uuid4().hex
    phone.say(t="ping", ts=mark)
    await phone.of("pong", ts=mark)


def test_every_frame_type_of_the_contract_has_a_seed() -> None:
    known = {
        model.model_fields["t"].default for model in get_args(get_args(contract.ClientFrame)[0])
    }
    assert known == set(seeds(Talk("", "conv:x", "")))


async def test_every_frame_before_hello_closes_but_hello(attacker: Attacker, talk: Talk) -> None:
    for name, seed in seeds(talk).items():
        if name != "hello":
            phone = await attacker.dial(token=talk.token)
            phone.say(**seed)
            assert await phone.close_code() == CloseCode.PROTOCOL, name
            assert not phone.frames


async def test_every_frame_said_twice_is_done_once(attacker: Attacker, talk: Talk) -> None:
    phone = await joined(attacker, talk)
    seed = seeds(talk)
    for name in ("read", "typing", "ping", "token", "send", "send", "unsub", "sub", "sub"):
        phone.forget()
        for _ in range(2):
            phone.say(**seed[name])
        await lives(phone)
        if name in QUIET:
            assert {one["t"] for one in phone.frames} <= {"pong", "patch"}
        if name == "ping":
            pongs = [one["ts"] for one in phone.frames if one["t"] == "pong"]
            assert pongs[:2] == ["ping-id"] * 2, "a patch may come between"
        if name == "token":
            assert [one["t"] for one in phone.frames if one.get("id") == "token-id"] == ["ok"] * 2
    phone.forget()
    for _ in range(2):
        phone.say(**seed["send"] | {"id": "twice-id-1"})
    await phone.get(lambda _: sum(one.get("id") == "twice-id-1" for one in phone.frames) == 2)
    answers = [one for one in phone.frames if one.get("id") == "twice-id-1"]
    assert {one["d"]["message_id"] for one in answers} == {answers[0]["d"]["message_id"]}
    phone.say(**seed["hello"])
    assert await phone.close_code() == CloseCode.PROTOCOL


async def test_every_frame_after_unsub_reaches_nobody(attacker: Attacker, talk: Talk) -> None:
    phone, witness = await joined(attacker, talk), await joined(attacker, talk)
    seed = seeds(talk)
    for name in ("read", "typing", "send", "unsub", "ping", "token"):
        phone.say(**seed["unsub"] | {"id": f"leave-{name}"})
        assert await phone.code(f"leave-{name}") is None
        witness.forget()
        phone.forget()
        phone.say(**seed[name])
        await lives(phone)
        if name == "send":
            assert await phone.code("send-id-1") == "not_subscribed"
    await lives(witness)
    assert not [one for one in witness.frames if one["t"] in {"ev", "patch"}]
    phone.say(**seed["sub"])
    assert await phone.code("sub-id") is None
    phone.say(**seed["send"])
    await witness.of("ev", s=talk.stream)


Limits = list[tuple[Shown, Shown, set[str | None]]]
"""Frames at a limit, the same ones over it, and how the first may be answered."""


def limits_of_names(talk: Talk) -> Limits:
    """Return the limits of ids and streams."""
    seed = seeds(talk)
    far: set[str | None] = {"forbidden", "bad_stream"}
    sub, unsub, send, token = (seed[name] for name in ("sub", "unsub", "send", "token"))
    return [
        (sub | {"id": "i" * 64, "s": "conv:x"}, sub | {"id": "i" * 65}, far),
        (
            sub | {"id": "a", "s": "conv:" + "x" * 64},
            sub | {"id": "b", "s": "conv:" + "x" * 65},
            far,
        ),
        (unsub | {"id": "u" * 64, "s": "inbox"}, unsub | {"id": "u" * 65}, {None}),
        (send | {"id": "a" * 64}, send | {"id": "a" * 65}, {None}),
        (send | {"id": "b" * 8}, send | {"id": "b" * 7}, {None}),
        (token | {"id": "t" * 64}, token | {"id": "t" * 65}, {None}),
    ]


def limits_of_bodies(talk: Talk) -> Limits:
    """Return the limits of what a `send` carries."""
    url = "https://a.example/"
    bodies: dict[str, tuple[Shown, Shown]] = {
        "text": ({"text": "长" * TEXT_CHARS}, {"text": "长" * (TEXT_CHARS + 1)}),
        "card": ({"t": "长" * (TEXT_CHARS - 2)}, {"t": "长" * (TEXT_CHARS - 1)}),
        "image": (
            {"url": url.ljust(URL_CHARS, "x"), "alt": "长" * TEXT_CHARS},
            {"url": url.ljust(URL_CHARS + 1, "x")},
        ),
    }
    found: Limits = []
    send = seeds(talk)["send"]
    for kind, (at, over) in bodies.items():
        named = send | {"kind": kind}
        found.append(
            (named | {"id": f"{kind}-at-it", "d": at}, named | {"id": "over-it", "d": over}, {None})
        )
    card = send | {"kind": "card"}
    alt = {"url": url, "alt": "长" * (TEXT_CHARS + 1)}
    return [
        *found,
        (
            card | {"id": "depth-at-it", "d": _deep(CARD_DEPTH)},
            card | {"id": "depth-over", "d": _deep(CARD_DEPTH + 1)},
            {None},
        ),
        (
            send | {"id": "confirm-at", "confirm": "c" * 128},
            send | {"id": "confirm-ov", "confirm": "c" * 129},
            {None},
        ),
        (
            send | {"id": "plain-one"},
            send | {"id": "alt-over-it", "kind": "image", "d": alt},
            {None},
        ),
    ]


async def test_every_field_is_taken_at_its_limit_and_refused_over_it(
    attacker: Attacker, talk: Talk
) -> None:
    phone = await joined(attacker, talk)
    for at, over, answers in (*limits_of_names(talk), *limits_of_bodies(talk)):
        phone.forget()
        phone.say(**at)
        assert await phone.code(at["id"]) in answers, at
        phone.forget()
        phone.say(**over)
        refused = (await phone.of("err"))["problem"]
        assert refused["code"] in {"bad_frame", "bad_stream", "bad_text", "text_too_long"}, over
    phone.say(t="ping", ts="p" * 64)
    await phone.of("pong", ts="p" * 64)
    phone.say(t="ping", ts="p" * 65)
    await lives(phone)
    assert not [one for one in phone.frames if one.get("ts") == "p" * 65]


async def test_hello_is_taken_at_its_limits_and_closes_over_them(
    attacker: Attacker, talk: Talk
) -> None:
    resume = [{"s": "inbox"}] * 64
    for name, at, over in (
        ("client", _client(name="n" * 64), _client(name="n" * 65)),
        ("client", _client(version="v" * 32), _client(version="v" * 33)),
        ("client", _client(instance="i" * 64), _client(instance="i" * 65)),
        ("resume", resume, resume + resume[:1]),
    ):
        phone = await attacker.phone(talk.token, **{name: at})
        await lives(phone)
        await phone.close()
        phone = await attacker.dial()
        phone.say(t="hello", v=1, token=talk.token, **{name: over})
        assert await phone.close_code() == CloseCode.PROTOCOL, name
    strange: tuple[Shown, ...] = (
        {"v": "1"},
        {"v": 1.5},
        {"v": None},
        {"token": 1},
        {"client": []},
        {"x": 1},
    )
    for change in strange:
        phone = await attacker.dial()
        phone.say(**{"t": "hello", "v": 1, "token": talk.token, **change})
        assert await phone.close_code() in {CloseCode.PROTOCOL, CloseCode.VERSION}
    for version in (0, 2, -1, 10**9):
        phone = await attacker.dial()
        phone.say(t="hello", v=version, token=talk.token)
        assert await phone.close_code() == CloseCode.VERSION


async def test_frames_in_single_bytes_and_many_in_one_segment_are_read_alike(
    attacker: Attacker, talk: Talk
) -> None:
    phone = await joined(attacker, talk)
    line = phone.transport.underlying_transport
    said = json.dumps(seeds(talk)["send"] | {"id": "one-byte-1"}, ensure_ascii=False).encode()
    for byte in frame(said):
        line.write(bytes([byte]))
        await asyncio.sleep(0)
    assert await phone.code("one-byte-1") is None

    many = [seeds(talk)["send"] | {"id": f"together-{n}", "d": {"text": f"{n}"}} for n in range(10)]
    whole = b"".join(frame(json.dumps(one).encode()) for one in many)
    line.write(whole[:-7])
    await asyncio.sleep(0.05)
    line.write(whole[-7:] + frame(b'{"t":"ping","ts":"behind"}')[:3])
    for one in many:
        assert await phone.code(one["id"]) is None
    line.write(frame(b'{"t":"ping","ts":"behind"}')[3:])
    await phone.of("pong", ts="behind")
    await eventually(lambda: phone.texts(talk.stream)[-1] == "9", what="the last of them")
    assert phone.texts(talk.stream)[-10:] == [f"{number}" for number in range(10)]


async def test_pieces_of_a_message_with_a_ping_between_them_are_one_message(
    attacker: Attacker, talk: Talk
) -> None:
    phone = await joined(attacker, talk)
    said = json.dumps(seeds(talk)["send"] | {"id": "in-pieces"}, ensure_ascii=False).encode()
    pieces = [said[at : at + 5] for at in range(0, len(said), 5)]
    data = frame(pieces[0], fin=False)
    for piece in pieces[1:-1]:
        data += frame(b"between", opcode=9) + frame(piece, opcode=0, fin=False)
    phone.transport.underlying_transport.write(data + frame(pieces[-1], opcode=0))
    assert await phone.code("in-pieces") in {None, "rate_limited"}
    phone.transport.underlying_transport.write(
        frame(b'{"t":"pi', fin=False) + frame(b'ng","ts":"late"}', opcode=0)
    )
    await phone.of("pong", ts="late")


async def test_a_line_cut_in_the_middle_of_a_frame_loses_and_doubles_nothing(
    attacker: Attacker, talk: Talk
) -> None:
    witness = await joined(attacker, talk)
    place = None
    for number in range(3):
        phone = await attacker.phone(talk.token)
        phone.say(t="sub", id="s", s=talk.stream, position=place)
        assert await phone.code("s") is None
        sent = {"id": f"cut-{number}-id", "d": {"text": f"第{number}句"}}
        said = frame(json.dumps(seeds(talk)["send"] | sent, ensure_ascii=False).encode())
        phone.transport.underlying_transport.write(said[: len(said) // (number + 2)])
        await asyncio.sleep(0.05)
        phone.hang_up()
        again = await attacker.phone(talk.token)
        again.say(t="sub", id="s", s=talk.stream, position=place)
        assert await again.code("s") is None
        for repeat in (True, False):
            again.say(**seeds(talk)["send"] | sent, again=repeat)
        await again.get(lambda one: one["t"] == "ev" and one["d"]["d"]["text"] == f"第{number}句")  # noqa: B023
        place = [one["position"] for one in again.frames if one["t"] == "ev"][-1]
        await again.close()
    await witness.get(lambda _: len(witness.texts(talk.stream)) >= 3)
    await lives(witness)
    assert witness.texts(talk.stream) == ["第0句", "第1句", "第2句"]


def _deep(levels: int) -> Any:
    """Return a card nested so deep."""
    return {"a": _deep(levels - 1)} if levels > 1 else {}


def _client(**change: str) -> Shown:
    return {"name": "x", "version": "1", **change}
