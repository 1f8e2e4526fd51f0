"""The tables of `docs/protocol.md`: frames, limits and close codes of the WebSocket."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, get_args

from contracts import frames
from contracts.frames import ClientFrame, CloseCode, Frame, ServerFrame
from tools.pages.markdown import code, one_line, table

_CLOSES: Final = {
    CloseCode.NOT_TEXT: "A frame was not text.",
    CloseCode.NOT_UTF8: "A frame was not UTF-8.",
    CloseCode.TOO_BIG: f"A frame was larger than {frames.FRAME_BYTES} bytes.",
    CloseCode.DRAINING: "The gateway stops; it said `goaway` before.",
    CloseCode.SLOW_READER: "The client does not read what it is sent.",
    CloseCode.HEARTBEAT_LOST: "Nothing was heard for too long, before or behind `hello`.",
    CloseCode.RATE: "The third frame beyond the rate.",
    CloseCode.BAD_POSITION: "A position that was never given out: connect without `resume`.",
    CloseCode.TOKEN_EXPIRED: "The token ran out and no fresh one came.",
    CloseCode.BAD_TOKEN: "No token, or none that counts.",
    CloseCode.PROTOCOL: "What came is not this protocol.",
    CloseCode.VERSION: "Another version of the protocol.",
    CloseCode.REVOKED: "The person was signed out, changed or dismissed.",
    CloseCode.REPLACED: "The same client opened a newer socket.",
    CloseCode.TOO_MANY: "More sockets than one person, or this gateway, may have.",
}


def tables() -> dict[str, str]:
    """Return each table by the name of its place on the page."""
    return {
        "client": _frames(ClientFrame),
        "server": _frames(ServerFrame),
        "limits": _limits(),
        "closes": table(
            ("code", "name", "why"),
            ((str(int(each)), each.name.lower(), _CLOSES[each]) for each in CloseCode),
        ),
    }


def _frames(union: Any) -> str:
    return table(("`t`", "fields", "what it says"), map(_frame, _members(union)))


def _members(union: Any) -> Iterator[type[Frame]]:
    either = get_args(union)[0] if isinstance(union, type(Annotated[int, 0])) else union
    yield from get_args(either)


def _frame(frame: type[Frame]) -> tuple[str, str, str]:
    fields = [
        name + ("" if field.is_required() else "?")
        for name, field in frame.model_fields.items()
        if name != "t"
    ]
    kind = str(frame.model_fields["t"].default)
    return code(kind), ", ".join(map(code, fields)), one_line(frame.__doc__)


def _limits() -> str:
    return table(
        ("limit", "value"),
        (
            ("bytes of a frame", str(frames.FRAME_BYTES)),
            ("characters of a message's words", str(frames.TEXT_CHARS)),
            ("characters that count as one frame", str(frames.CHARS_PER_FRAME)),
            ("bytes that count as one frame", str(frames.BYTES_PER_FRAME)),
            ("objects inside one another in a card", str(frames.CARD_DEPTH)),
            ("messages that a subscription replays", str(frames.REPLAY_LIMIT)),
        ),
    )
