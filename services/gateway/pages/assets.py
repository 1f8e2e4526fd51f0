"""A folder of built files in memory: what each is, how long it holds, and how it is packed.

Knows bytes; must not know requests.
"""

import gzip
import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kit.web.unchanged import etag_of

SMALLEST_PACKED: Final = 512
"""Bytes; what is shorter hardly becomes less."""
PACKED_SUFFIXES: Final = frozenset({".css", ".html", ".js", ".json", ".map", ".svg"})
"""Pictures and fonts are packed already."""
LEVEL: Final = 9
"""Once at start, 0.1 s for a console, and not by every request."""

_TYPES: Final = {".js": "text/javascript", ".map": "application/json"}
"""Where the system's table differs between machines."""


@dataclass
class Asset:
    """A file: its bytes, their type, the mark of this version, and the bytes packed by gzip."""

    body: bytes
    media_type: str
    packable: bool
    etag: str = field(init=False)
    packed: bytes | None = None
    """None until it was packed, and for what becomes no smaller."""

    def __post_init__(self) -> None:
        self.etag = etag_of(self.body)

    def pack(self) -> None:
        """Pack it, if that makes it smaller."""
        if self.packable and len(self.body) >= SMALLEST_PACKED:
            packed = gzip.compress(self.body, LEVEL, mtime=0)
            self.packed = packed if len(packed) < len(self.body) else None


def read(folder: Path) -> Mapping[str, Asset]:
    """Return the files of a folder by their path in it, with slashes; none if it is not there."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): _asset(file) for file in files}


def pack(assets: Iterable[Asset]) -> None:
    """Pack them all; meant for a thread, for answers go on unpacked meanwhile."""
    for asset in assets:
        asset.pack()


def _asset(file: Path) -> Asset:
    guessed = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    media_type = _TYPES.get(file.suffix, guessed)
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    return Asset(file.read_bytes(), media_type, file.suffix in PACKED_SUFFIXES)
