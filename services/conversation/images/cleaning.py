"""Makes pictures anew in a process of their own: two at once, within limits, ended if late.

Knows how that process is run; must not know whose a picture is.
"""

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kit.errors import Unavailable, Unprocessable

AT_ONCE: Final = 2
WAITING_MOST: Final = 8
"""Pictures that wait for their turn; one more is told to come again."""

DECODE_S: Final = 5.0
DECODER: Final = Path(__file__).with_name("decoder.py")

_NO_PICTURE: Final = 3
_TOO_MANY_PIXELS: Final = 4


class NoPicture(Unprocessable):
    """The bytes are no JPEG, PNG, WebP or GIF that can be shown, whatever they are called."""

    slug, title = "no_picture", "This is no picture that can be shown"


class TooManyPixels(Unprocessable):
    """A picture of so many pixels is not opened."""

    slug, title = "too_many_pixels", "The picture is larger than 40 megapixels"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that holds what it shows and nothing else."""

    media_type: str
    width: int
    height: int
    content: bytes


@dataclass
class Cleaner:
    """Runs the decoder."""

    decoder: Path = DECODER
    patience_s: float = DECODE_S
    _waiting: int = 0
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def clean(self, given: bytes) -> Picture:
        """Return a new picture. Raises `NoPicture`, `TooManyPixels`, `Unavailable`."""
        if self._waiting >= AT_ONCE + WAITING_MOST:
            raise Unavailable("Too many pictures are being opened.")
        self._waiting += 1
        try:
            async with self._turns:
                return await self._decoded(given)
        finally:
            self._waiting -= 1

    async def _decoded(self, given: bytes) -> Picture:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(self.decoder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        try:
            async with asyncio.timeout(self.patience_s):
                written, _ = await process.communicate(given)
        except TimeoutError:
            raise Unavailable("The picture took too long to open.") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return _picture(process.returncode, written)


def _picture(status: int | None, written: bytes) -> Picture:
    if status == _NO_PICTURE:
        raise NoPicture
    if status == _TOO_MANY_PIXELS:
        raise TooManyPixels
    if status != 0:
        raise Unavailable("The picture could not be opened within its limits.")
    head, _, content = written.partition(b"\n")
    kind, width, height = head.decode("ascii").split(" ")
    return Picture(f"image/{kind}", int(width), int(height), content)
