"""Two families of failure: what a caller is told (`AppError`), what a consumer decides (`Verdict`).

Knows neither HTTP nor Kafka: the web writes problem documents of the first, loops obey the second.
"""

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override


class AppError(Exception):
    """A failure that a caller may see. Clients match the slug, people read the detail.

    `extras` become members of the problem document; never put exception text into them.
    """

    slug: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str = "", **extras: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.extras = extras

    @property
    def retry_after(self) -> int | None:
        """Seconds after which a repeat may succeed; None where a repeat is pointless."""
        return None


class _Retryable(AppError):
    """A failure that time may heal."""

    retry_after_s: ClassVar[int] = 1

    def __init__(
        self, detail: str = "", *, retry_after: int | None = None, **extras: object
    ) -> None:
        super().__init__(detail, **extras)
        self._retry_after = retry_after

    @property
    @override
    def retry_after(self) -> int:
        return self.retry_after_s if self._retry_after is None else self._retry_after


class Unauthorized(AppError):
    """Nobody we know."""

    slug, status, title = "unauthorized", 401, "Authentication is missing or not valid"


class Forbidden(AppError):
    """Somebody we know, who may not do this."""

    slug, status, title = "forbidden", 403, "Not allowed"


class NotFound(AppError):
    """Absent, or another shop's: the two answer alike."""

    slug, status, title = "not_found", 404, "Not found"


class Conflict(AppError):
    """The state of the thing forbids it."""

    slug, status, title = "conflict", 409, "In conflict with the current state"


class PreconditionFailed(AppError):
    """The caller acts on an old version."""

    slug, status, title = "stale", 412, "It has changed since you read it"


class Unprocessable(AppError):
    """The request is understood and wrong."""

    slug, status, title = "invalid", 422, "The request is not valid"


class PreconditionRequired(AppError):
    """The caller must say which version it acts on."""

    slug, status, title = "precondition_required", 428, "Say which version you act on (If-Match)"


class TooMany(_Retryable):
    """A limit was reached."""

    slug, status, title = "too_many", 429, "Too many requests"


class Unavailable(_Retryable):
    """Something we lean on does not answer; consumers treat it as `Retry`."""

    slug, status, title = "unavailable", 503, "Temporarily unavailable"


class Verdict(Exception):
    """What a consumer decides about a record that it could not handle."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retry(Verdict):
    """Not now: pause the partition, back off, hand in the same records again."""


class Dead(Verdict):
    """Never: set the record aside with its reason and go on.

    A batch handler names the `offending` record, else the loop halves the batch until it stands
    alone. It names `all_of` them at once if it can: what is left is then one batch again, not many.
    Many in a row make the group rest, unless they do not count: what is `foreseen` may come in any
    number and says nothing against the release.
    """

    def __init__(
        self, reason: str, offending: object | None = None, *, foreseen: bool = False
    ) -> None:
        super().__init__(reason)
        self.offending = offending
        self.foreseen = foreseen
        self.each: tuple[Dead, ...] = (self,)
        """The verdicts on all records of the batch that are known to be dead, this one first."""

    @classmethod
    def all_of(cls, verdicts: Sequence["Dead"]) -> "Dead":
        """Return the verdict on a batch of which several records are dead, each by its own."""
        first = verdicts[0]
        whole = cls(first.reason, first.offending, foreseen=first.foreseen)
        whole.each = tuple(verdicts)
        return whole


class PassedOver(Verdict):
    """Nothing for this release: the record is counted, named once in the log, and left behind.

    No failure: a newer release may write what an older one does not know (B60).
    """


class Fenced(Verdict):
    """Another owner has moved this partition on: drop the state and join again (H19)."""
