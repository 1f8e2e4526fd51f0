"""Rows 6, 23 to 26, 28, 32 and 33: what is said on an open socket and should not be."""

import asyncio
import uuid
from functools import partial
from typing import Any

import pytest
from picows import WSMsgType

from contracts.frames import FRAME_BYTES, CloseCode
from contracts.people import Role
from services.gateway.limits import FORBIDDEN
from tests.attacks import watching
from tests.attacks.attacker import Attacker, frame, shows_nothing
from tests.attacks.cast import Cast
from tests.attacks.costs import costs_less
from tests.integration.gateway.phone import Phone
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import World

pytestmark = pytest.mark.journey

ABSENT = "00000000-0000-7000-8000-000000000000"
AT_ONCE_S = 1.0
"""Of CPU: far above what a frame may cost, far below what a quadratic reader needs."""


def somebody(cast: Cast) -> str:
    """Return the token of an agent whom nobody has seen: staff share a rate over all sockets."""
    return cast.ours.forger(Role.AGENT).token(sub=str(uuid.uuid4()))


async def lives(phone: Phone) -> None:
    """Assert that the socket still answers."""
    mark = uuid.uuid4().hex
    phone.say(t="ping", ts=mark)
    await phone.of("pong", ts=mark)


async def test_attack_06_a_foreign_stream_is_forbidden_and_ten_close_the_socket(
    attacker: Attacker, cast: Cast, platform: Platform
) -> None:
    counted = watching.total(
        watching.metrics(platform), "peakdesk_frames_refused_total", slug="forbidden"
    )
    theirs = cast.theirs
    streams = [
        f"conv:{theirs.conversation}",
        f"conv:{ABSENT}",
        f"monitor:{theirs.id}",
        "monitor:nowhere",
        f"conv:{theirs.id}",
        "conv:" + "x" * 64,
        f"monitor:{theirs.conversation}",
        f"board:{theirs.id}",
    ]
    phone = await attacker.phone(cast.ours.token(Role.SUPERVISOR))
    answers = []
    for number, stream in enumerate(streams):
        phone.say(t="sub", id=f"s{number}", s=stream)
        answers.append((await phone.answer(f"s{number}"))["problem"])
    for problem in answers:
        assert {k: v for k, v in problem.items() if k != "trace_id"} == {
            k: v for k, v in answers[0].items() if k != "trace_id"
        }
    assert answers[0]["code"] == "forbidden"
    await lives(phone)

    for number in range(len(streams), FORBIDDEN):
        phone.say(t="sub", id=f"s{number}", s=f"conv:{uuid.uuid4()}")
    assert await phone.close_code() == CloseCode.REVOKED
    assert not [one for one in phone.frames if one["t"] in {"snap", "ev", "patch"}]
    after = watching.metrics(platform)
    grown = watching.total(after, "peakdesk_frames_refused_total", slug="forbidden") - counted
    assert grown >= FORBIDDEN - 1


async def test_attack_06_a_buyer_watches_no_board_and_no_other_buyer(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    thief = await world.visitor(cast.ours.shop(world))
    phone = await attacker.phone(thief.session.token)
    shop = cast.ours.id
    streams = (f"monitor:{shop}", f"board:{shop}", f"conv:{cast.ours.conversation}")
    for number, stream in enumerate(streams):
        phone.say(t="sub", id=f"s{number}", s=stream)
        assert await phone.code(f"s{number}") == "forbidden"
        phone.message(stream, "hi", id=f"aaaaaaaa-{number}")
        assert await phone.code(f"aaaaaaaa-{number}") in {"not_subscribed", "bad_stream"}
        phone.say(t="typing", s=stream)
        phone.say(t="read", s=stream, position=[0, 1])
    await lives(phone)


NO_FRAMES = (
    b"not json",
    b"",
    b"[]",
    b"null",
    b'"x"',
    b"7",
    b"true",
    b"{",
    b'{"t":"ping"}{"t":"ping"}',
    b'\xef\xbb\xbf{"t":"ping"}',
    b'{"t":"ping",}',
    b"{'t':'ping'}",
    b'{"t":"ping"}\x00',
    b"NaN",
)


async def test_attack_23_what_is_no_frame_is_answered_and_the_socket_lives(
    attacker: Attacker, cast: Cast
) -> None:
    phone = await attacker.phone(somebody(cast))
    for payload in NO_FRAMES:
        phone.forget()
        phone.text(payload)
        assert (await phone.of("err"))["problem"]["code"] in {"bad_frame", "unknown_type"}, payload
        shows_nothing(b"".join(phone.raw))
    await lives(phone)


async def test_attack_23_what_is_no_text_closes(attacker: Attacker, cast: Cast) -> None:
    wanted = [
        (frame(b"x", opcode=2), CloseCode.NOT_TEXT),
        (frame(b"", opcode=2), CloseCode.NOT_TEXT),
        (frame(b'{"t":"ping","ts":"\xff"}'), CloseCode.NOT_UTF8),
        (frame(b"\xed\xa0\x80"), CloseCode.NOT_UTF8),
        (frame(b"\xc0\xaf"), CloseCode.NOT_UTF8),
        (frame(b'{"t":"ping"}', opcode=0), CloseCode.PROTOCOL),
        (frame(b"{", fin=False) + frame(b"{", fin=False), CloseCode.PROTOCOL),
        (frame(b"x", first=0x10), CloseCode.PROTOCOL),
        (frame(b"x", first=0x40), CloseCode.PROTOCOL),
    ]
    for data, code in wanted:
        phone = await attacker.phone(somebody(cast))
        phone.transport.underlying_transport.write(data)
        assert await phone.close_code() == code, data


BREAKING = {
    "an unmasked frame": b'\x81\x0c{"t":"ping"}',
    "an unknown opcode": frame(b"x", opcode=3),
    "an unknown control opcode": frame(b"x", opcode=11),
    "a ping over 125 bytes": frame(b"x" * 126, opcode=9),
    "a fragmented ping": frame(b"x", opcode=9, fin=False),
    "a length over 63 bits": b"\x81\xff" + b"\xff" * 8 + b"\x01\x02\x03\x04",
    "a close of one byte": frame(b"x", opcode=8),
    "a close with a reserved code": frame((1005).to_bytes(2, "big"), opcode=8),
}


async def test_attack_23_what_breaks_the_framing_ends_that_socket_alone(
    attacker: Attacker, cast: Cast
) -> None:
    witness = await attacker.phone(cast.ours.token(Role.SUPERVISOR))
    for name, data in BREAKING.items():
        phone = await attacker.phone(somebody(cast))
        phone.transport.underlying_transport.write(data)
        assert await phone.close_code() is not None, name
    await lives(witness)


UNKNOWN_TYPES = (
    "base",
    "__init__",
    "__class__",
    "class",
    "_Frame",
    "Hello",
    "HELLO",
    "ev",
    "snap",
    "ok",
    "chat.message.v1",
    "",
    " ping",
    "ping\u0000",
    "пинг",
    "x" * 60_000,
)


async def test_attack_24_unknown_and_internal_types_answer_alike(
    attacker: Attacker, cast: Cast
) -> None:
    phone = await attacker.phone(somebody(cast))
    seen = []
    for number, name in enumerate(UNKNOWN_TYPES):
        phone.say(t=name, id=f"u{number}")
        seen.append((await phone.answer(f"u{number}"))["problem"])
    odd: tuple[Any, ...] = (None, 1, [], {}, True)
    for value in odd:
        phone.forget()
        phone.say(t=value, id="odd")
        seen.append((await phone.answer("odd"))["problem"])
    assert {problem["code"] for problem in seen} == {"unknown_type"}
    assert len({problem["detail"] for problem in seen}) == 1
    shows_nothing(b"".join(phone.raw))


MONSTERS = (
    '{"t":"sub","id":"1","s":"inbox","position":' + "[" * 10_000 + "]" * 10_000 + "}",
    "[" * 65_000,
    '{"a":' * 10_000 + "1" + "}" * 10_000,
    '{"t":"ping","ts":1' + "0" * 60_000 + "}",
    '{"t":"ping","ts":1e308888}',
    '{"t":"ping","ts":NaN}',
    '{"t":"ping","ts":-Infinity}',
    '{"t":"sub","id":"1","s":"inbox","__proto__":{"x":1}}',
    '{"t":"sub","id":"1","s":"inbox","constructor":{}}',
    '{"t":"sub","id":"1","s":"inbox",' + ",".join(f'"k{n}":1' for n in range(6_000)) + "}",
    '{"t":"ping","ts":"' + "\\u0041" * 10_000 + '"}',
)


async def test_attack_25_monstrous_json_is_refused_at_once(
    attacker: Attacker, cast: Cast, platform: Platform
) -> None:
    async def send(payload: str) -> None:
        phone = await attacker.phone(somebody(cast))
        phone.text(payload)
        await phone.of("err")
        shows_nothing(b"".join(phone.raw))
        await lives(phone)
        await phone.close()

    for payload in MONSTERS:
        sends = partial(send, payload)
        assert await costs_less(AT_ONCE_S, sends, platform, "gateway"), payload[:60]


async def test_attack_25_a_key_given_twice_counts_once_or_is_refused(
    attacker: Attacker, cast: Cast
) -> None:
    phone = await attacker.phone(somebody(cast))
    phone.text('{"t":"unsub","t":"ping","ts":1,"ts":2}')
    answered = await phone.get(lambda one: one["t"] in {"pong", "err"})
    assert answered["t"] == "err" or answered["ts"] == 2
    await lives(phone)


async def test_attack_26_frames_over_the_limit_close_and_endless_pieces_too(
    attacker: Attacker, cast: Cast
) -> None:
    ping = b'{"t":"ping","ts":"whole"}'
    at_limit = ping + b" " * (FRAME_BYTES - len(ping))
    half = FRAME_BYTES // 2
    phone = await attacker.phone(somebody(cast))
    for data in (
        frame(at_limit),
        frame(at_limit[:half], fin=False) + frame(at_limit[half:], opcode=0),
    ):
        phone.forget()
        phone.transport.underlying_transport.write(data)
        await phone.of("pong", ts="whole")

    declared = b"\x81\xff" + (16 * 1024 * 1024).to_bytes(8, "big") + b"\x01\x02\x03\x04"
    wanted = [
        (frame(at_limit + b" "), {CloseCode.TOO_BIG}),
        (declared + b"x" * 1_000, {CloseCode.TOO_BIG}),
        (
            frame(at_limit, fin=False) + frame(b" ", opcode=0),
            {CloseCode.TOO_BIG},
        ),
        (
            frame(b"{", fin=False) + frame(b" ", opcode=0, fin=False) * 300,
            {CloseCode.PROTOCOL},
        ),
        (
            frame(b"", fin=False) + frame(b"", opcode=0, fin=False) * 300,
            {CloseCode.PROTOCOL},
        ),
    ]
    for data, codes in wanted:
        phone = await attacker.phone(somebody(cast))
        phone.transport.underlying_transport.write(data)
        assert await phone.close_code() in codes


async def test_attack_28_floods_of_pings_hints_and_subscriptions_close_the_socket(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    buyer = await world.visitor(cast.ours.shop(world))
    talk = (await buyer.call("POST", "/v1/conversations", {}))["id"]
    stream = f"conv:{talk}"
    floods: dict[str, list[dict[str, Any]]] = {
        "ping": [{"t": "ping", "ts": 1}],
        "typing": [{"t": "typing", "s": stream}],
        "read": [{"t": "read", "s": stream, "position": [0, 1]}],
        "sub": [{"t": "sub", "id": "s", "s": f"conv:{uuid.uuid4()}"}],
        "sub and unsub": [
            {"t": "sub", "id": "s", "s": stream},
            {"t": "unsub", "id": "u", "s": stream},
        ],
        "no frame at all": [{"t": "nonsense"}],
    }
    for name, frames in floods.items():
        phone = await attacker.phone(buyer.session.token)
        for number in range(1_000):
            if phone.closed is not None:
                break
            phone.say(**frames[number % len(frames)])
            if number % 20 == 19:
                await asyncio.sleep(0)
        assert await phone.close_code() in {CloseCode.RATE, CloseCode.REVOKED}, name
    phone = await attacker.phone(buyer.session.token)
    for _ in range(100):
        phone.transport.send_ping(b"x")
    assert await phone.close_code() == CloseCode.RATE
    phone = await attacker.phone(buyer.session.token)
    for _ in range(2_000):
        phone.transport.send(WSMsgType.PONG, b"x")
    await lives(phone)


BAD_PLACES: tuple[Any, ...] = (
    -1,
    1.5,
    "1",
    [],
    [0],
    [0, 1, 2],
    [-1, 0],
    [0, -1],
    [0.0, 1],
    ["0", 1],
    {"a": 1},
)


async def test_attack_32_a_position_that_was_never_given_out_gets_no_data(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    buyer = await world.visitor(cast.ours.shop(world))
    stream = f"conv:{(await buyer.call('POST', '/v1/conversations', {}))['id']}"
    phone = await attacker.phone(buyer.session.token)
    phone.say(t="sub", id="right", s=stream)
    assert await phone.code("right") is None
    generation, offset = (await phone.of("snap", s=stream))["position"]
    phone.say(t="unsub", id="leave", s=stream)
    assert await phone.code("leave") is None

    phone.forget()
    strange = [*BAD_PLACES, [generation, 2**63], [generation + 1, offset], [32_767, 0]]
    for number, place in enumerate(strange):
        phone.say(t="sub", id=f"p{number}", s=stream, position=place)
        assert await phone.code(f"p{number}") == "resync", place
        await phone.of("resync", s=stream)
    assert {one["t"] for one in phone.frames} == {"err", "resync"}

    phone.forget()
    phone.say(t="sub", id="future", s=stream, position=[generation, offset + 10**9])
    assert await phone.close_code() == CloseCode.BAD_POSITION
    assert not [one for one in phone.frames if one["t"] in {"snap", "ev"}]


async def test_attack_32_a_resume_of_somebody_elses_streams_gets_no_data(
    attacker: Attacker, cast: Cast
) -> None:
    foreign = [f"conv:{cast.ours.conversation}", f"monitor:{cast.ours.id}"]
    for place in ([0, 0], [0, -1], None):
        resume = [{"s": stream, "position": place} for stream in foreign]
        phone = await attacker.phone(cast.theirs.token(Role.AGENT), resume=resume)
        await lives(phone)
        phone.say(t="sub", id="last", s=f"conv:{ABSENT}")
        assert await phone.code("last") == "forbidden"

        def codes(phone: Phone = phone) -> list[str]:
            return [one["problem"]["code"] for one in phone.frames if one["t"] == "err"]

        await eventually(lambda: len(codes()) == 3, what="an answer for each of them")
        assert {one["t"] for one in phone.frames} <= {"ready", "pong", "err", "resync"}
        assert set(codes()) <= {"forbidden", "resync"}


async def test_attack_33_the_same_id_with_another_body_is_a_conflict(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    buyer = await world.visitor(cast.ours.shop(world))
    stream = f"conv:{(await buyer.call('POST', '/v1/conversations', {}))['id']}"
    phone = await attacker.phone(buyer.session.token)
    phone.say(t="sub", id="s", s=stream)
    assert await phone.code("s") is None
    phone.message(stream, "第一句", id="same-id-01")
    first = (await phone.answer("same-id-01"))["d"]["message_id"]

    others = ({"kind": "text", "d": {"text": "另一句"}}, {"kind": "card", "d": {"text": "第一句"}})
    for other in others:
        for again in (False, True):
            phone.forget()
            phone.say(t="send", id="same-id-01", s=stream, again=again, **other)
            assert await phone.code("same-id-01") == "conflict"
    phone.forget()
    phone.message(stream, "第一句", id="same-id-01", again=True)
    assert (await phone.answer("same-id-01"))["d"]["message_id"] == first
