"""Pictures are made anew in a process of their own, or refused; what else a file held is gone."""

import asyncio
import io
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from contracts.people import Role
from kit.clock import ManualClock
from kit.errors import TooMany, Unavailable
from kit.web.auth import Principal
from services.conversation.images.cleaning import DECODER, Cleaner, NoPicture, TooManyPixels
from services.conversation.images.limits import PictureLimits

pytestmark = pytest.mark.unit

SECRET = b"48.8584N taken by Li Lei"
SCRIPT = b"<script>alert(1)</script>"


def drawn(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **how: Any) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, "red").save(written, kind, **how)
    return written.getvalue()


def bomb(side: int) -> bytes:
    """Return a PNG of a few bytes that says it is `side` pixels wide and high."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
async def test_a_picture_without_alpha_becomes_a_jpeg(kind: str) -> None:
    picture = await Cleaner().clean(drawn(kind))
    assert (picture.media_type, picture.width, picture.height) == ("image/jpeg", 60, 40)
    with Image.open(io.BytesIO(picture.content)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (60, 40))


async def test_alpha_stays_in_a_png() -> None:
    picture = await Cleaner().clean(drawn("PNG", mode="RGBA"))
    assert picture.media_type == "image/png"
    assert picture.content.startswith(b"\x89PNG")


async def test_the_longest_side_is_cut_down() -> None:
    picture = await Cleaner().clean(drawn("JPEG", (4096, 1024)))
    assert (picture.width, picture.height) == (2048, 512)


async def test_exif_goes_and_what_it_turned_stays_turned() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, SECRET.decode()
    given = drawn("JPEG", (60, 40), exif=exif)
    assert SECRET in given
    picture = await Cleaner().clean(given)
    assert (picture.width, picture.height) == (40, 60)
    assert SECRET not in picture.content
    assert b"Exif" not in picture.content


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
async def test_of_a_polyglot_the_picture_alone_is_left(mode: str) -> None:
    picture = await Cleaner().clean(drawn("PNG", mode=mode) + SCRIPT)
    assert SCRIPT not in picture.content


@pytest.mark.parametrize(
    "given",
    [
        b"",
        SCRIPT,
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        drawn("JPEG", (600, 400))[:900],
        drawn("BMP"),
        drawn("TIFF"),
    ],
    ids=["nothing", "html", "svg", "truncated", "bmp", "tiff"],
)
async def test_what_is_no_picture_of_the_four_kinds_is_refused(given: bytes) -> None:
    with pytest.raises(NoPicture):
        await Cleaner().clean(given)


# RGBA takes the most, P is made into it; what lies between needs seconds to say the same.
@pytest.mark.parametrize(
    "mode", ["RGBA", "P", *(pytest.param(one, marks=pytest.mark.heavy) for one in ("RGB", "LA"))]
)
async def test_the_largest_picture_stays_within_the_memory(mode: str) -> None:
    patient = Cleaner(patience_s=60.0)  # memory alone is judged, not the pace of a machine
    picture = await patient.clean(drawn("PNG", (6_300, 6_300), mode))
    assert (picture.width, picture.height) == (2048, 2048)


@pytest.mark.parametrize(("mode", "side"), [("RGB", 2048), ("RGBA", 1024)])
async def test_noise_is_made_smaller_until_it_is_no_burden(mode: str, side: int) -> None:
    noise = random.Random(7).randbytes(2048 * 2048 * len(mode))
    given = io.BytesIO()
    Image.frombytes(mode, (2048, 2048), noise).save(given, "PNG", compress_level=0)
    picture = await Cleaner(patience_s=60.0).clean(given.getvalue())
    assert len(picture.content) <= 4 * 1024 * 1024
    assert (picture.width, picture.height) == (side, side)


def text_of_png() -> bytes:
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", "\u00e9t\u00e9")
    words.add_itxt("Title", "\u6807\u9898", "zh", "\u6807\u9898")
    words.add_text("Long", "x" * 5_000, zip=True)
    return drawn("PNG", pnginfo=words)


def animated(kind: str, frames: int = 3) -> bytes:
    written = io.BytesIO()
    all_of_them = [Image.new("RGB", (60, 40), color) for color in ("red", "green", "blue")]
    all_of_them[0].save(written, kind, save_all=True, append_images=all_of_them[1:frames])
    return written.getvalue()


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="1"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize(
    "given",
    [
        drawn("JPEG", progressive=True),
        drawn("JPEG", mode="CMYK"),
        drawn("JPEG", mode="L"),
        drawn("JPEG", xmp=XMP, comment="\u8bc4\u8bba"),
        drawn(
            "JPEG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        ),
        animated("MPO", frames=2),
        drawn("PNG", mode="I;16"),
        drawn("PNG", mode="1"),
        text_of_png(),
        animated("PNG"),
        animated("GIF"),
        animated("WEBP"),
        drawn("WEBP", lossless=True, xmp=XMP),
    ],
    ids=[
        "progressive",
        "cmyk",
        "grey",
        "xmp",
        "profile",
        "mpo",
        "16-bit",
        "1-bit",
        "words",
        "apng",
        "gif",
        "webp",
        "lossless",
    ],
)
async def test_every_picture_of_a_camera_or_a_program_is_opened_without_anything_else(
    given: bytes,
) -> None:
    picture = await Cleaner().clean(given)
    assert (picture.width, picture.height) == (60, 40)


@pytest.mark.parametrize(
    "does",
    [
        "open('/proc/self/environ')",
        "open('/tmp/left-behind', 'w')",
        "import socket; socket.socket()",
        "import os; os.pipe()",
        "import subprocess; subprocess.run(['true'])",
    ],
    ids=["a file", "a new file", "a connection", "a pipe", "a program"],
)
def test_whoever_took_the_decoder_over_gets_nothing_by_it(does: str) -> None:
    before = "import socket, subprocess, os, sys, runpy;"
    confined = f"runpy.run_path({str(DECODER)!r})['confine']()"
    code = f"{before} {confined}\ntry:\n    {does}\nexcept OSError:\n    sys.exit(42)\n"
    ended = subprocess.run([sys.executable, "-I", "-c", code], check=False, env={})
    assert ended.returncode == 42


async def test_a_bomb_is_refused_before_it_is_opened() -> None:
    with pytest.raises(TooManyPixels):
        await Cleaner().clean(bomb(6400))


@pytest.mark.parametrize(
    "does",
    ["import os; os.kill(os.getpid(), 9)", "import time; time.sleep(600)", "raise MemoryError"],
    ids=["killed", "hangs", "out of memory"],
)
async def test_a_decoder_that_ends_or_hangs_is_unavailable_and_the_next_goes(
    tmp_path: Path, does: str
) -> None:
    broken = tmp_path / "decoder.py"
    broken.write_text(does)
    cleaner = Cleaner(decoder=broken, patience_s=1.0)
    with pytest.raises(Unavailable):
        await cleaner.clean(drawn("PNG"))
    whole = Cleaner()
    cleaner.decoder, cleaner.patience_s = whole.decoder, whole.patience_s
    assert (await cleaner.clean(drawn("PNG"))).width == 60


async def test_who_comes_when_too_many_wait_is_told_to_come_again(tmp_path: Path) -> None:
    slow = tmp_path / "decoder.py"
    slow.write_text("import time; time.sleep(600)")
    cleaner = Cleaner(decoder=slow, patience_s=600.0)
    waiting = [asyncio.create_task(cleaner.clean(b"")) for _ in range(10)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="Too many"):
        await cleaner.clean(b"")
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize(("role", "most"), [(Role.BUYER, 20), (Role.AGENT, 120)])
def test_ten_minutes_have_so_many_pictures_of_a_person(role: Role, most: int) -> None:
    clock = ManualClock()
    limits = PictureLimits(clock)
    one, other = someone("one", role), someone("other", role)
    for _ in range(most):
        limits.send(one)
    with pytest.raises(TooMany):
        limits.send(one)
    limits.send(other)
    clock.advance(600)
    for _ in range(most):
        limits.send(one)


def test_a_day_has_so_many_bytes_of_a_shop() -> None:
    clock = ManualClock()
    limits = PictureLimits(clock)
    limits.keep("shop", 2 * 1024**3)
    with pytest.raises(TooMany):
        limits.keep("shop", 1024)
    limits.keep("other", 1024)
    clock.advance(86_400)
    limits.keep("shop", 1024)


def someone(name: str, role: Role) -> Principal:
    at = ManualClock().now()
    return Principal(
        subject=name, role=role, shop_id="s", name="", issued_at=at, expires_at=at, jti=""
    )
