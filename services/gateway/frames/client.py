"""Frames that clients send, read fast; the contract is `contracts.frames`, a test ties the two.

Refuses what is not a frame and says no more than that. Knows no socket and no permission.
"""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

from contracts.frames import (
    BYTES_PER_FRAME,
    CARD_DEPTH,
    CHARS_PER_FRAME,
    GENERATIONS,
    OFFSETS,
    TEXT_CHARS,
)
from contracts.gateway import REASON_CHARS
from kit.errors import AppError
from kit.text import BadText, refuse_unstorable
from services.gateway.frames.refusals import BadFrame, UnknownType

URL_CHARS: Final = 2_048
RESUME_STREAMS: Final = 64
ID_CHARS: Final = 64
FrameId = Annotated[str, Meta(max_length=64)]
StreamText = Annotated[str, Meta(max_length=80)]

Position = tuple[Annotated[int, Meta(ge=0, lt=GENERATIONS)], Annotated[int, Meta(ge=0, lt=OFFSETS)]]

_IMAGE_URL: Final = re.compile(r"(https?://|/v1/)[^\s\x00-\x1f\\]+", re.ASCII)


class _Frame(Struct, tag_field="t", forbid_unknown_fields=True, gc=False):
    pass


class Client(Struct, forbid_unknown_fields=True, gc=False):
    """Which program connects."""

    name: Annotated[str, Meta(max_length=64)]
    version: Annotated[str, Meta(max_length=32)]
    instance: FrameId | None = None


class Resume(Struct, forbid_unknown_fields=True, gc=False):
    """Where the client stands in one stream."""

    s: StreamText
    position: Any = None


class Hello(_Frame, tag="hello"):
    """The first frame."""

    v: int
    token: str | None = None
    client: Client | None = None
    resume: Annotated[list[Resume], Meta(max_length=RESUME_STREAMS)] = []


class Sub(_Frame, tag="sub"):
    """Subscribe."""

    id: FrameId
    s: StreamText
    position: Any = None


class Unsub(_Frame, tag="unsub"):
    """Unsubscribe."""

    id: FrameId
    s: StreamText


class Send(_Frame, tag="send"):
    """Say something; `d` stays raw until the kind is known."""

    id: Annotated[str, Meta(pattern=r"^[0-9A-Za-z-]{8,64}\Z")]
    s: StreamText
    kind: Literal["text", "image", "card", "note"]
    d: Raw
    again: bool = False
    confirm: Annotated[str, Meta(max_length=128)] | None = None
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_CHARS)] | None = None


class Read(_Frame, tag="read"):
    """Read up to a position."""

    s: StreamText
    position: Position | None = None


class Typing(_Frame, tag="typing"):
    """Somebody is typing."""

    s: StreamText


class Viewing(_Frame, tag="viewing"):
    """Somebody looks at it, or does no more."""

    s: StreamText
    on: bool


class Ping(_Frame, tag="ping"):
    """Heartbeat."""

    ts: int | float | Annotated[str, Meta(max_length=64)] | None = None


class Token(_Frame, tag="token"):
    """A fresh token of the same subject."""

    token: str
    id: FrameId | None = None


ClientFrame = Hello | Sub | Unsub | Send | Read | Typing | Viewing | Ping | Token

_frames: Final[msgspec.json.Decoder[ClientFrame]] = msgspec.json.Decoder(ClientFrame)
_TYPES: Final = frozenset(
    {"hello", "sub", "unsub", "send", "read", "typing", "viewing", "ping", "token"}
)


class NotUtf8(Exception):
    """The frame is not UTF-8 text: the socket closes with 1007."""


class Unreadable(Exception):
    """The payload is no frame. `frame_id` is the id it carried, if one could be made out."""

    def __init__(self, error: AppError, frame_id: str | None) -> None:
        super().__init__(error.slug)
        self.error = error
        self.frame_id = frame_id


def read(payload: bytes) -> ClientFrame:
    """Decode one frame. Raises `Unreadable` or `NotUtf8`."""
    try:
        return _frames.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _why(payload) from None


def _why(payload: bytes) -> Exception:
    """Look again, slowly, for the id and the kind of mistake."""
    try:
        found = json.loads(payload.decode())
    except UnicodeDecodeError:
        return NotUtf8()
    except (ValueError, RecursionError):
        return Unreadable(BadFrame("Send one JSON object per frame."), None)
    if not isinstance(found, dict):
        return Unreadable(BadFrame("Send one JSON object per frame."), None)
    frame_id = found.get("id")
    named = frame_id if isinstance(frame_id, str) and len(frame_id) <= ID_CHARS else None
    if named is not None and not (named.isascii() and named.isprintable()):
        named = None
    kind = found.get("t")
    if not isinstance(kind, str) or kind not in _TYPES:
        return Unreadable(UnknownType(), named)
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return Unreadable(BadText("Remove the unpaired surrogate (U+D800 to U+DFFF)."), named)
    return Unreadable(BadFrame("A field is missing, unknown or of the wrong type."), named)


class Place(NamedTuple):
    """A position as clients see it."""

    generation: int
    offset: int


def place_of(value: object) -> Place | None:
    """Read a position; None if it is malformed (H4), whatever it is."""
    if not isinstance(value, list) or len(value) != len(Place._fields):
        return None
    generation, offset = value
    if type(generation) is not int or type(offset) is not int:
        return None
    known = 0 <= generation < GENERATIONS and 0 <= offset < OFFSETS
    return Place(generation, offset) if known else None


class _Text(Struct, forbid_unknown_fields=True, gc=False):
    text: Annotated[str, Meta(min_length=1, max_length=TEXT_CHARS)]


class _Image(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    url: Annotated[str, Meta(max_length=URL_CHARS)]
    alt: Annotated[str, Meta(max_length=TEXT_CHARS)] | None = None


class _Note(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    text: Annotated[str, Meta(min_length=1, max_length=TEXT_CHARS)]
    to: Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,64}\Z")] | None = None


_text: Final = msgspec.json.Decoder(_Text)
_note: Final = msgspec.json.Decoder(_Note)
_image: Final = msgspec.json.Decoder(_Image)
_card: Final = msgspec.json.Decoder(dict[str, Any])
_encode: Final = msgspec.json.Encoder()
_canonical: Final = msgspec.json.Encoder(order="sorted")


class Body(NamedTuple):
    """What a `send` says: the body as canonical JSON and the words in it, for the wording gate."""

    d: bytes
    words: str


def body_of(frame: Send) -> Body:
    """Read `d` by its kind. Raises `BadFrame` or `BadText`."""
    try:
        if frame.kind == "text":
            text = _text.decode(frame.d)
            refuse_unstorable(text.text)
            return Body(_encode.encode(text), text.text)
        if frame.kind == "note":
            note = _note.decode(frame.d)
            refuse_unstorable(note.text)
            return Body(_canonical.encode(note), note.text)
        if frame.kind == "image":
            return _image_body(_image.decode(frame.d))
        card = _card.decode(frame.d)
        words = _words(card)
        refuse_unstorable(words)
        return Body(_canonical.encode(card), words)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadFrame(f"The body of a {frame.kind} is not right.") from None


def weight(frame: ClientFrame | None, size: int) -> int:
    """Return how many frames of the rate a frame counts as; None stands for one that is none."""
    if size <= CHARS_PER_FRAME:  # no character is shorter than a byte
        return 1
    chars = 0
    if isinstance(frame, Send):
        try:
            chars = len(body_of(frame).words)
        except AppError:
            chars = TEXT_CHARS  # it is refused when its turn comes
    return max(-(-chars // CHARS_PER_FRAME), -(-size // BYTES_PER_FRAME))


def _image_body(image: _Image) -> Body:
    if _IMAGE_URL.fullmatch(image.url) is None:
        raise BadFrame("An image needs an http, https or /v1/ address.")
    words = image.alt or ""
    refuse_unstorable(words)
    return Body(_canonical.encode(image), words)


def _words(card: dict[str, Any]) -> str:
    """Return every key and string of a card, in the order in which they are sent.

    Raises `BadFrame` at the limits.
    """
    found: list[str] = []
    room = TEXT_CHARS + 1
    open_parts = [_parts(card)]
    while open_parts:
        value = next(open_parts[-1], _END)
        if value is _END:
            open_parts.pop()
        elif isinstance(value, str):
            found.append(value)
            room -= len(value) + 1
            if room < 0:
                raise BadFrame(f"A card holds {TEXT_CHARS} characters of text at most.")
        elif isinstance(value, dict | list):
            if len(open_parts) == CARD_DEPTH:
                raise BadFrame(f"A card is {CARD_DEPTH} levels deep at most.")
            open_parts.append(_parts(value))
    return "\n".join(found)


_END: Final = object()


def _parts(value: dict[str, Any] | list[Any]) -> Iterator[Any]:
    """Return what a part holds; the keys of an object sorted, as in the canonical body."""
    return iter(value) if isinstance(value, list) else chain.from_iterable(sorted(value.items()))
