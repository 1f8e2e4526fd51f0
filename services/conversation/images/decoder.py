"""The process that opens one picture and writes a new one: bytes in by stdin, out by stdout.

It is run as a file, knows nothing of the platform, holds no secret, and may be killed at any time.
Its exit status says what it found; the line before the picture says its kind, width and height.
"""

import io
import resource
import sys
import warnings
from typing import Final

from PIL import Image, ImageOps, MpoImagePlugin

MEMORY_MOST: Final = 512 * 1024 * 1024
CPU_S: Final = 5
PIXELS_MOST: Final = 40_000_000
SIDE_MOST: Final = 2048
QUALITY: Final = 85
WRITTEN_MOST: Final = 4 * 1024 * 1024
"""Bytes of a new picture at most; one of noise is made smaller until it fits."""

NO_PICTURE: Final = 3
TOO_MANY_PIXELS: Final = 4

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
"""Whatever else the library could open is never tried."""

LATE: Final = (MpoImagePlugin,)
CODECS: Final = ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
"""What would be imported only when a file asks for it, and cannot be any more by then."""


def remade(given: bytes) -> tuple[bytes, str, int, int]:
    """Return a new picture of what the first frame shows, its kind, width and height.

    Raises whatever the library does over a broken file. Exits where the picture is too large.
    """
    with Image.open(io.BytesIO(given), formats=FORMATS) as opened:
        if opened.width * opened.height > PIXELS_MOST:
            sys.exit(TOO_MANY_PIXELS)
        if opened.format == "JPEG":
            opened.draft("RGB", (SIDE_MOST, SIDE_MOST))
        opened.load()
        alpha = opened.has_transparency_data
        mode = "RGBA" if alpha else "RGB"
        # Made small before anything else: every copy of 40 megapixels is 160 MB.
        plain: Image.Image = opened
        if opened.mode != mode:
            plain = opened.convert(mode)
            opened.close()  # gives its pixels back: with them there would be three copies
        plain.thumbnail((SIDE_MOST, SIDE_MOST))
    plain = ImageOps.exif_transpose(plain)
    # Pixels alone go on: what the library remembers of the file (`info`) stays behind.
    bare = Image.frombytes(plain.mode, plain.size, plain.tobytes())
    kind = "png" if alpha else "jpeg"
    written = _written(bare, kind)
    while len(written) > WRITTEN_MOST:
        bare = bare.reduce(2)
        written = _written(bare, kind)
    return written, kind, *bare.size


def _written(bare: Image.Image, kind: str) -> bytes:
    written = io.BytesIO()
    bare.save(written, kind, quality=QUALITY)
    return written.getvalue()


def confine() -> None:
    """Give up what a picture is not made with: other files, connections, processes, more memory.

    What is open stays open. Whoever took this process over by a file could ask for nothing else.
    """
    for codec in CODECS:
        b"".decode(codec)
    for kind in FORMATS:
        _rehearse(kind)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MOST, MEMORY_MOST))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    for nothing in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        resource.setrlimit(nothing, (0, 0))


def _rehearse(kind: str) -> None:
    """Remake a picture of our own: the library imports what it needs when it first needs it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    sample = io.BytesIO()
    Image.new("P" if kind == "GIF" else "RGB", (2, 1)).save(sample, kind, exif=exif)
    remade(sample.getvalue())


def main() -> None:
    """Remake what stdin holds, within the limits of this process."""
    confine()
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # counted here, with a limit of our own
    given = sys.stdin.buffer.read()
    try:
        picture, kind, width, height = remade(given)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a broken file raises anything, and its text is a stranger's
        sys.exit(NO_PICTURE)
    sys.stdout.buffer.write(f"{kind} {width} {height}\n".encode() + picture)


if __name__ == "__main__":
    main()
