"""What the gateway answers instead of doing what was asked; each has a slug that clients match.

Knows how a refusal reads on the wire, not when it is due.
"""

from typing import Final

import msgspec

from kit.errors import AppError, Conflict, Forbidden, TooMany, Unavailable, Unprocessable
from kit.telemetry import new_trace
from kit.web.problems import document

RETRY_AFTER_MS: Final = 1_000
"""How long the sender of a `retry` waits unless the refusal itself says so."""


class BadFrame(AppError):
    """Not JSON, not an object, or a field that is missing, unknown or of the wrong type."""

    slug, status, title = "bad_frame", 422, "The frame cannot be read"


class UnknownType(AppError):
    """`t` names no frame of this version."""

    slug, status, title = "unknown_type", 422, "No such frame type"


class BadStream(AppError):
    """`s` names no stream."""

    slug, status, title = "bad_stream", 422, "No such stream"


class Forbid(Forbidden):
    """Absent and foreign answer alike: nobody learns which ids exist."""

    slug, status, title = "forbidden", 403, "Not allowed"


class NotSubscribed(Conflict):
    """Sending needs a subscription."""

    slug, status, title = "not_subscribed", 409, "Subscribe to the conversation first"


class NoSeat(Forbidden):
    """The person may read here, but does not hold the conversation."""

    slug, status, title = "no_seat", 403, "You do not hold this conversation"


class ContinueElsewhere(Conflict):
    """The conversation was closed long ago; its buyer has the open one that `continue_in` names."""

    slug, status, title = "conversation_closed", 409, "This conversation is closed: go on elsewhere"


class IdConflict(Conflict):
    """The same id was used for another body; the first one stands."""

    slug, status, title = "conflict", 409, "This id was used for another message"


class BlockedByPolicy(Unprocessable):
    """The shop's wording policy keeps the message from the buyer."""

    slug, status, title = "blocked", 422, "The wording policy blocks this message"


class ConfirmFirst(Conflict):
    """The wording policy wants a second look; `signature` lets the same text pass."""

    slug, status, title = "confirm", 409, "The wording policy asks for confirmation"


class Retry(Unavailable):
    """The outcome is unknown, or the message was not taken: send the same id again (H18)."""

    slug, status, title = "retry", 503, "Not acknowledged yet: send it again with the same id"


class NotTaken(Retry):
    """Nothing was done: what comes again is no resend, and nobody must be asked for the first."""


class RateLimited(TooMany):
    """Over 20 frames a second; three of these close the socket with 4003."""

    slug, status, title = "rate_limited", 429, "Too many frames"


class TooManySubscriptions(TooMany):
    """The socket holds as many streams as it may."""

    slug, status, title = "too_many_subscriptions", 429, "Too many subscriptions on one socket"


class Resynced(Conflict):
    """The position cannot be resumed from; a `resync` frame said why."""

    slug, status, title = "resync", 409, "Subscribe again without a position"


class AlreadySubscribed(Conflict):
    """The stream is being subscribed, or is subscribed, on this socket."""

    slug, status, title = "already_subscribed", 409, "Already subscribed"


class Unsubscribed(Conflict):
    """The stream was left again before its join was over."""

    slug, status, title = "unsubscribed", 409, "Unsubscribed before the stream was ready"


def encoded_problem(error: AppError) -> bytes:
    """Return the problem document as JSON, the same that REST shows, with a trace to quote."""
    shown = document(error)
    shown["trace_id"] = shown["trace_id"] or new_trace().trace_id
    if isinstance(error, Retry):
        shown.setdefault("retry_after_ms", RETRY_AFTER_MS)
    if isinstance(error, NotTaken):
        shown["taken"] = False
    return msgspec.json.encode(shown)
