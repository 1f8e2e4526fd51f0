"""Who gets in, what bad input is answered, and with which code a socket is closed."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from picows import WSInvalidStatusError, WSMsgType

from contracts.frames import CloseCode
from contracts.people import Role, ShopId
from kit.bus.kafka import KafkaBus
from kit.clock import ManualClock
from kit.web.auth import TokenIssuer, generate_keypair
from tests.integration.gateway.desk import KEYS, SHOP, Desk, opened
from tests.waiting import PATIENCE_S, eventually
from tests.web import NO_TLS

pytestmark = pytest.mark.integration

HELLO: dict[str, Any] = {"t": "hello", "v": 1}


# ---- the upgrade


async def test_an_upgrade_that_is_not_right_is_refused_before_it(desk: Desk) -> None:
    wanted = [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://desk.example.evil.example"}, 403),
        ({"Cookie": "session=1"}, 403),
        ({"Sec-WebSocket-Protocol": "other"}, 400),
        ({"Host": "x@y"}, 400),
        ({"Host": "a/?x"}, 400),
    ]
    for headers, status in wanted:
        with pytest.raises(WSInvalidStatusError) as refused:
            await desk.dial(headers=headers)
        assert refused.value.response is not None
        assert refused.value.response.status == status, headers
        assert b'"code"' in (refused.value.raw_body or b"")


async def test_an_allowed_origin_gets_in(desk: Desk) -> None:
    phone = await desk.dial(headers={"Origin": "https://desk.example"})
    phone.say(**HELLO, token=desk.token("a"))
    assert (await phone.of("ready"))["user"] == {
        "id": "a",
        "role": "agent",
        "shop_id": SHOP,
        "name": "",
    }


async def test_no_token_in_the_url_and_no_other_path(desk: Desk) -> None:
    wanted = [("/v1/ws?token=x", 400), ("/v1/ws?access_token=x", 400), ("/other", 404)]
    for path, status in wanted:
        request = (
            f"GET {path} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: peakdesk.v1\r\n\r\n"
        )
        port = int(desk.url.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.encode())
        answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), path


async def test_the_token_may_come_with_the_upgrade(desk: Desk) -> None:
    phone = await desk.dial(token=desk.token("b"))
    phone.say(**HELLO)
    assert (await phone.of("ready"))["user"]["id"] == "b"


async def test_too_many_silent_sockets_of_one_address_are_refused(bus: KafkaBus) -> None:
    async with opened(bus, sockets_unauthenticated=2) as desk:
        await desk.dial()
        known = await desk.dial()
        with pytest.raises(WSInvalidStatusError) as refused:
            await desk.dial()
        assert refused.value.response is not None
        assert refused.value.response.status == 429
        known.say(**HELLO, token=desk.token("a"))
        await known.of("ready")
        await desk.dial()


# ---- hello


async def test_what_is_not_a_good_hello_closes_the_socket(desk: Desk) -> None:
    foreign = TokenIssuer(generate_keypair().private, desk.service.clock)
    bad = foreign.issue(subject="a", role="agent", shop_id=SHOP, name="")
    old = TokenIssuer(KEYS.private, ManualClock(datetime(2025, 1, 1, tzinfo=UTC)))
    expired = old.issue(subject="a", role="agent", shop_id=SHOP, name="")
    odd = desk.issuer.issue(subject="a", role="god", shop_id=SHOP, name="")
    wanted: list[tuple[dict[str, Any], CloseCode]] = [
        ({"t": "ping"}, CloseCode.PROTOCOL),
        ({"t": "nonsense"}, CloseCode.PROTOCOL),
        ({**HELLO, "extra": 1}, CloseCode.PROTOCOL),
        ({"t": "hello", "v": 2, "token": desk.token("a")}, CloseCode.VERSION),
        (HELLO, CloseCode.BAD_TOKEN),
        ({**HELLO, "token": "x"}, CloseCode.BAD_TOKEN),
        ({**HELLO, "token": bad}, CloseCode.BAD_TOKEN),
        ({**HELLO, "token": odd}, CloseCode.BAD_TOKEN),
        ({**HELLO, "token": expired}, CloseCode.TOKEN_EXPIRED),
    ]
    for frame, code in wanted:
        phone = await desk.dial()
        phone.say(**frame)
        assert await phone.close_code() == code, frame
        assert not phone.frames


async def test_silence_before_hello_and_a_second_hello_close(bus: KafkaBus) -> None:
    async with opened(bus, hello_s=0.2) as desk:
        silent = await desk.dial()
        known = await desk.phone("a")
        known.say(**HELLO, token=desk.token("a"))
        assert await known.close_code() == CloseCode.PROTOCOL
        assert await silent.close_code() == CloseCode.HEARTBEAT_LOST


async def test_one_person_has_so_many_sockets_and_a_client_replaces_its_own(bus: KafkaBus) -> None:
    async with opened(bus, sockets_per_person=2) as desk:
        client = {"name": "console", "version": "1", "instance": "tab-1"}
        first = await desk.phone("a", client=client)
        second = await desk.phone("a")
        again = await desk.phone("a", client=client)
        assert await first.close_code() == CloseCode.REPLACED

        third = await desk.dial()
        third.say(**HELLO, token=desk.token("a"))
        assert await third.close_code() == CloseCode.TOO_MANY
        for phone in (second, again):
            phone.say(t="ping", ts=1)
            await phone.of("pong")


# ---- frames


BAD_FRAMES: list[tuple[str, str | None]] = [
    ("not json", "bad_frame"),
    ("[]", "bad_frame"),
    ("null", "bad_frame"),
    ('"x"', "bad_frame"),
    ("", "bad_frame"),
    ("{}", "unknown_type"),
    ('{"t":"__init__"}', "unknown_type"),
    ('{"t":"base","id":"1"}', "unknown_type"),
    ('{"t":"sub","id":5,"s":"inbox"}', "bad_frame"),
    ('{"t":"sub","id":"1","s":"inbox","__proto__":{}}', "bad_frame"),
    ('{"t":"sub","id":"1","s":"conv:../../x"}', "bad_stream"),
    ('{"t":"send","id":"short","s":"conv:x","kind":"text","d":{"text":"x"}}', "bad_frame"),
    ('{"t":"sub","id":"1","s":"inbox","position":' + "[" * 10_000 + "]" * 10_000 + "}", None),
    ('{"t":"ping","ts":' + "9" * 6_000 + "}", "bad_frame"),
    ('{"t":"ping","ts":NaN}', "bad_frame"),
]

BAD_TEXTS = ('"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udfff x"', '""', f'"{"长" * 2_001}"')


async def test_a_bad_frame_is_answered_and_the_socket_lives(desk: Desk) -> None:
    for number, (payload, code) in enumerate(BAD_FRAMES):
        phone = await desk.phone(f"p{number}")
        begun = time.process_time()  # of this process, which the gateway shares, and of no other
        phone.text(payload)
        refusal = (await phone.of("err"))["problem"]
        assert time.process_time() - begun < 1
        assert code is None or refusal["code"] == code, payload[:80]
        shown = str(phone.frames)
        assert not any(word in shown for word in ("Traceback", "services", "msgspec"))
        phone.say(t="ping", ts=1)
        await phone.of("pong")


async def test_text_that_cannot_be_stored_is_refused_with_its_id(desk: Desk) -> None:
    talk = desk.talk()
    buyer, agent = await desk.pair(talk)
    s = f"conv:{talk.id}"
    for number, text in enumerate(BAD_TEXTS):
        frame_id = f"aaaaaaaa-{number}"
        body = f'"s":"{s}","kind":"text","d":{{"text":{text}}}'
        buyer.text(f'{{"t":"send","id":"{frame_id}",{body}}}')
        assert await buyer.code(frame_id) in {"bad_text", "bad_frame"}
    strange = "\u202e\ufffe e" + "\u0301" * 1_990 + "\U0001f600"
    buyer.message(s, strange, id="bbbbbbbb-1")
    assert await buyer.code("bbbbbbbb-1") is None
    await agent.of("ev", s=s)
    assert agent.texts(s) == [strange]


async def test_frames_that_are_no_text_or_too_large_close_the_socket(desk: Desk) -> None:
    wanted = [
        (WSMsgType.BINARY, b"x", CloseCode.NOT_TEXT),
        (WSMsgType.TEXT, b'{"t":"ping","ts":"\xff"}', CloseCode.NOT_UTF8),
        (WSMsgType.TEXT, b" " * (64 * 1024 + 1), CloseCode.TOO_BIG),
    ]
    for kind, payload, code in wanted:
        phone = await desk.phone("a")
        phone.transport.send(kind, payload)
        assert await phone.close_code() == code


async def test_a_frame_of_exactly_the_limit_is_read(desk: Desk) -> None:
    phone = await desk.phone("a")
    ping = b'{"t":"ping","ts":7}'
    phone.text(ping + b" " * (64 * 1024 - len(ping)))
    assert (await phone.of("pong"))["ts"] == 7


async def test_fragments_are_joined_and_endless_ones_close(desk: Desk) -> None:
    phone = await desk.phone("a")
    phone.transport.send(WSMsgType.TEXT, b'{"t":"ping",', fin=False)
    phone.transport.send(WSMsgType.CONTINUATION, b'"ts":3}')
    assert (await phone.of("pong"))["ts"] == 3

    phone.transport.send(WSMsgType.TEXT, b"{", fin=False)
    for _ in range(300):
        phone.transport.send(WSMsgType.CONTINUATION, b" ", fin=False)
    assert await phone.close_code() == CloseCode.PROTOCOL


async def test_a_flood_is_refused_three_times_and_then_closed(desk: Desk) -> None:
    phone = await desk.phone("a")
    for _ in range(60):
        phone.say(t="ping", ts=1)
    assert await phone.close_code() == CloseCode.RATE
    refused = [f for f in phone.frames if f["t"] == "err"]
    assert [f["problem"]["code"] for f in refused] == ["rate_limited"] * 2


async def test_protocol_pings_are_answered_and_counted(desk: Desk) -> None:
    phone = await desk.phone("a")
    assert len(await phone.transport.measure_roundtrip_time(2)) == 2
    for _ in range(80):
        phone.transport.send_ping(b"x")
    assert await phone.close_code() == CloseCode.RATE


# ---- other people's things


async def test_a_foreign_and_a_nonexistent_conversation_answer_alike(desk: Desk) -> None:
    talk = desk.talk()
    elsewhere = desk.talk(shop_id="shop-b")
    thief = await desk.phone("other-buyer", Role.BUYER)
    for number, name in enumerate((talk.id, elsewhere.id, "nobody")):
        thief.say(t="sub", id=f"s{number}", s=f"conv:{name}")
    thief.say(t="sub", id="s3", s=f"monitor:{SHOP}")

    problems = [(await thief.answer(f"s{n}"))["problem"] for n in range(4)]
    assert len({problem.pop("trace_id") for problem in problems}) == 4
    assert problems[0] == problems[1] == problems[2] == problems[3]
    assert problems[0]["code"] == "forbidden"
    thief.message(f"conv:{talk.id}", "hi", id="aaaaaaaa-1")
    assert await thief.code("aaaaaaaa-1") == "not_subscribed"
    for number in range(4, 10):
        thief.say(t="sub", id=f"s{number}", s=f"conv:nobody{number}")
    assert await thief.close_code() == CloseCode.REVOKED


async def test_supervisors_watch_their_own_shop_alone(desk: Desk) -> None:
    talk = desk.talk()
    boss = await desk.phone("boss", Role.SUPERVISOR)
    await desk.join(boss, talk)
    boss.message(f"conv:{talk.id}", "hi", id="aaaaaaaa-1")
    boss.say(t="sub", id="own", s=f"monitor:{SHOP}")
    boss.say(t="sub", id="other", s="monitor:shop-b")

    assert await boss.code("aaaaaaaa-1") == "no_seat"
    assert await boss.code("own") is None
    assert await boss.code("other") == "forbidden"


async def test_a_socket_holds_so_many_streams(bus: KafkaBus) -> None:
    async with opened(bus, subscriptions=2) as desk:
        talks = [desk.talk(agent="a") for _ in range(3)]
        phone = await desk.phone("a")
        for talk in talks[:2]:
            await desk.join(phone, talk)
        phone.say(t="sub", id="third", s=f"conv:{talks[2].id}")
        assert await phone.code("third") == "too_many_subscriptions"
        phone.say(t="unsub", id="u", s=f"conv:{talks[0].id}")
        await desk.join(phone, talks[2])
        phone.say(t="sub", id="twice", s=f"conv:{talks[2].id}")
        assert await phone.code("twice") in {"already_subscribed", "too_many_subscriptions"}


# ---- tokens that end


async def test_revocation_closes_open_sockets_and_bars_new_ones(desk: Desk) -> None:
    phones = [await desk.phone("fired") for _ in range(3)]
    token = desk.token("fired")
    await desk.publish(desk.listed("fired", 1, active=False))

    for phone in phones:
        assert await phone.close_code(within=5) == CloseCode.REVOKED
    late = await desk.dial()
    late.say(**HELLO, token=token)
    assert await late.close_code() == CloseCode.BAD_TOKEN
    async with httpx2.AsyncClient(verify=NO_TLS) as web:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await web.get(f"{desk.url}/v1/conversations", headers=headers)
    assert answer.status_code == 401


async def test_a_lowered_role_or_another_shop_closes_too(desk: Desk) -> None:
    boss = await desk.phone("chief", Role.SUPERVISOR)
    moved = await desk.phone("moved")
    stays = await desk.phone("stays")
    past = datetime(2026, 1, 1, tzinfo=UTC)
    await desk.publish(
        desk.listed("chief", 1, not_before=past, role=Role.AGENT),
        desk.listed("moved", 1, not_before=past, shop_id=ShopId("shop-b")),
        desk.listed("stays", 1, not_before=past),
    )
    assert await boss.close_code(within=5) == CloseCode.REVOKED
    assert await moved.close_code(within=5) == CloseCode.REVOKED
    stays.say(t="ping", ts=1)
    await stays.of("pong")


async def test_a_token_runs_out_unless_a_fresh_one_of_the_same_person_comes(desk: Desk) -> None:
    short = await desk.dial()
    short.say(**HELLO, token=desk.token("a", ttl_s=3))
    fresh = await desk.dial()
    fresh.say(**HELLO, token=desk.token("b", ttl_s=3))
    fresh.say(t="token", id="t", token=desk.token("b"))
    swapped = await desk.phone("c")
    swapped.say(t="token", id="t", token=desk.token("d"))

    assert await fresh.code("t") is None
    assert await swapped.close_code() == CloseCode.BAD_TOKEN
    assert await short.close_code() == CloseCode.TOKEN_EXPIRED
    fresh.say(t="ping", ts=1)
    await fresh.of("pong")


async def test_silence_closes_with_heartbeat_lost(bus: KafkaBus) -> None:
    async with opened(bus, silence_s=1.5) as desk:
        silent, lively = await desk.phone("a"), await desk.phone("b")

        async def beats() -> bool:
            lively.say(t="ping", ts=1)
            await asyncio.sleep(0.2)
            return silent.closed is not None

        await eventually(beats)
        assert silent.closed == CloseCode.HEARTBEAT_LOST
        assert lively.closed is None


@pytest.mark.parametrize("presence_s", [0.1, 600], ids=["in a report", "as a newcomer"])
async def test_presence_tells_who_is_connected(bus: KafkaBus, presence_s: float) -> None:
    name = f"presence-test-{presence_s}"
    async with opened(bus, presence_s=presence_s, gateway_id=name) as desk:
        await desk.phone("here")
        reader = bus.reader(["presence"])
        await reader.start()
        found: list[str] = []

        async def told() -> bool:
            for records in (await reader.getmany(100)).values():
                found.extend(str(record.value) for record in records)
            return any('"here"' in one and name in one for one in found)

        await eventually(told)
        await reader.stop()
