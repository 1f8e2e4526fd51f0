"""Rows 43 and 45: files that act, or are too much, or tell on their sender, or are another's."""

import io
import struct
import zlib
from functools import partial

import httpx2
import pytest
from PIL import Image

from contracts.images import UPLOAD_BYTES
from contracts.people import Role
from tests.attacks.attacker import Attacker, head, is_problem
from tests.attacks.cast import Cast
from tests.attacks.costs import costs_less
from tests.platform import Platform
from tests.world import Person, World

pytestmark = pytest.mark.journey

HOME = b"48.8584N of Li Lei"
PAGE = b"<html><script>alert(document.cookie)</script></html>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
AT_ONCE_S = 2.0
"""Of CPU: above what a refusal costs with the process it starts, below what a bomb would."""


def drawn(kind: str = "PNG", mode: str = "RGB") -> bytes:
    """Return a picture that also says where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = HOME.decode()
    written = io.BytesIO()
    color = (255, 0, 0, 128)[: len(mode)]
    Image.new(mode, (64, 48), color).save(written, kind, exif=exif)
    return written.getvalue()


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of few bytes that says it is so large, and holds as many."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + check

    size = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 50_000_000, 9)
    parts = chunk(b"IHDR", size) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


async def talking(world: World, cast: Cast) -> tuple[Person, str]:
    """Return a buyer of this test's own and his conversation."""
    buyer = await world.visitor(cast.ours.shop(world))
    made = await buyer.call("POST", "/v1/conversations", {})
    return buyer, str(made["id"])


async def sends(
    attacker: Attacker, token: str, talk: str, content: bytes, said: str = "image/png"
) -> httpx2.Response:
    """Send a file as a picture."""
    path, headers = f"/v1/conversations/{talk}/images", {"Content-Type": said}
    return await attacker.ask("POST", path, token=token, content=content, headers=headers)


@pytest.mark.parametrize(
    ("content", "said", "status", "code"),
    [
        (SVG, "image/svg+xml", 415, "unsupported_media_type"),
        (PAGE, "text/html", 415, "unsupported_media_type"),
        (SVG, "image/png", 422, "no_picture"),
        (b"<?xml version='1.0'?>" + SVG, "image/gif", 422, "no_picture"),
        (PAGE, "image/jpeg", 422, "no_picture"),
        (b"GIF89a" + PAGE, "image/gif", 422, "no_picture"),
        (b"%PDF-1.7\n" + drawn(), "image/png", 422, "no_picture"),
        (PAGE + drawn("JPEG"), "image/jpeg", 422, "no_picture"),
    ],
)
async def test_attack_43_what_is_no_picture_is_refused_whatever_it_says_it_is(
    attacker: Attacker,
    world: World,
    cast: Cast,
    *,
    content: bytes,
    said: str,
    status: int,
    code: str,
) -> None:
    buyer, talk = await talking(world, cast)
    answer = await sends(attacker, buyer.session.token, talk, content, said)
    is_problem(answer, status, code)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_attack_43_45_of_a_polyglot_and_of_its_sender_nothing_is_kept_but_what_is_shown(
    attacker: Attacker, world: World, cast: Cast, *, kind: str, mode: str
) -> None:
    buyer, talk = await talking(world, cast)
    given = drawn(kind, mode) + b"PK\x03\x04" + PAGE
    assert HOME in given
    made = await sends(attacker, buyer.session.token, talk, given, "image/png")
    assert made.status_code == 201, made.text

    for token in (buyer.session.token, cast.ours.token(Role.AGENT)):
        shown = await attacker.ask("GET", made.json()["url"], token=token)
        assert shown.status_code == 200
        for held in (HOME, PAGE, b"PK\x03\x04", b"Exif", b"eXIf"):
            assert held not in shown.content
        assert shown.headers["content-type"] == f"image/{'png' if mode == 'RGBA' else 'jpeg'}"
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert shown.headers["content-security-policy"] == "sandbox; default-src 'none'"
        with Image.open(io.BytesIO(shown.content)) as opened:
            assert opened.size == (64, 48)


async def test_attack_45_a_bomb_is_refused_before_it_goes_off(
    attacker: Attacker, world: World, cast: Cast, platform: Platform
) -> None:
    buyer, talk = await talking(world, cast)
    given = bomb(20_000, 20_000)
    assert len(given) < 100_000

    async def tried() -> None:
        answer = await sends(attacker, buyer.session.token, talk, given)
        is_problem(answer, 422, "too_many_pixels")

    assert await costs_less(AT_ONCE_S, partial(tried), platform, "conversation")


async def test_attack_45_a_file_is_not_empty_nor_larger_than_it_may_be(
    attacker: Attacker, world: World, cast: Cast
) -> None:
    buyer, talk = await talking(world, cast)
    token = buyer.session.token
    is_problem(await sends(attacker, token, talk, b""), 415, "unsupported_media_type")
    large = await sends(attacker, token, talk, b"\x89PNG" + bytes(UPLOAD_BYTES))
    is_problem(large, 413, "body_too_large")
    said = [
        ("Host", "localhost"),
        ("Authorization", f"Bearer {token}"),
        ("Content-Type", "image/png"),
        ("Content-Length", str(1024**3)),
    ]
    huge = await attacker.exchange(head(f"POST /v1/conversations/{talk}/images HTTP/1.1", said))
    is_problem(huge, 413, "body_too_large")


async def test_attack_45_no_other_route_takes_a_file(
    attacker: Attacker, world: World, cast: Cast
) -> None:
    buyer, talk = await talking(world, cast)
    token, headers = buyer.session.token, {"Content-Type": "image/png"}
    for path in ("/v1/conversations", f"/v1/conversations/{talk}/rating", "/v1/sessions"):
        answer = await attacker.ask("POST", path, token=token, content=drawn(), headers=headers)
        is_problem(answer, 415, "unsupported_media_type")
    for method in ("PUT", "PATCH"):
        path = f"/v1/conversations/{talk}/images"
        answer = await attacker.ask(method, path, token=token, content=drawn(), headers=headers)
        is_problem(answer, {405, 415})


async def test_attack_45_pictures_of_others_are_not_there(
    attacker: Attacker, world: World, cast: Cast
) -> None:
    buyer, talk = await talking(world, cast)
    made = await sends(attacker, buyer.session.token, talk, drawn())
    url, picture = made.json()["url"], made.json()["id"]
    other, others_talk = await talking(world, cast)
    strangers = [
        other.session.token,
        cast.theirs.token(Role.BUYER),
        cast.theirs.token(Role.SUPERVISOR),
    ]
    for token in strangers:
        is_problem(await attacker.ask("GET", url, token=token), 404)
        is_problem(await sends(attacker, token, talk, drawn()), 404)
    pasted = f"/v1/images/{others_talk}/{picture}"
    is_problem(await attacker.ask("GET", pasted, token=other.session.token), 404)
    is_problem(await attacker.ask("GET", f"{url}/..%2f..%2fsessions", token=strangers[0]), 404)
    is_problem(await attacker.ask("GET", url), 401)
    # Of staff, who does not hold it sends nothing to its buyer.
    answer = await sends(attacker, cast.ours.token(Role.AGENT), talk, drawn())
    is_problem(answer, 403, "no_seat")
