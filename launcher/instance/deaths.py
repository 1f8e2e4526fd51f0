"""Why a process of an instance died, how often, and when it is tried again; files only."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from launcher.instance import files
from launcher.instance.files import Damaged

WORDS_SHOWN: Final = 240
"""Characters of a process's last words that a person gets, the end of them; programs get all.

A traceback ends with what matters; services write lines of JSON, of which a wall says nothing.
"""


@dataclass(frozen=True)
class Deaths:
    """Every death of a process since somebody started it on purpose; the last one in detail.

    `trouble` is why it could not be started again, empty if it was or nobody tried yet. Moments
    are ISO 8601 in UTC.
    """

    count: int
    at: str
    why: str
    words: str
    next_try_at: str | None = None
    trouble: str = ""

    def once_more(self, last: "Deaths") -> "Deaths":
        """Return these deaths and one more."""
        return replace(last, count=self.count + 1)

    def document(self) -> dict[str, Any]:
        """Return them as JSON has them."""
        return asdict(self)

    def sentence(self, *, now: datetime) -> str:
        """Return in words what a person wants to know."""
        times = "once" if self.count == 1 else f"{self.count} times"
        parts = [f"died {times}, last {_ago(self.at, now)} ago: {self.why}"]
        if self.trouble:
            parts.append(f"could not be started again: {self.trouble}")
        if self.next_try_at is not None:
            left = max(0.0, (_moment(self.next_try_at) - now).total_seconds())
            parts.append(f"next try in {left:.0f} s")
        words = self.words
        if len(words) > WORDS_SHOWN:
            words = f"…{words[-WORDS_SHOWN:]}"
        parts.append(f"its last words: {words}")
        return "; ".join(parts)


def read(path: Path) -> Deaths | None:
    """Return what is kept in `path`; a damaged file is as good as none."""
    try:
        document = files.read_document(path)
        return None if document is None else Deaths(**document)
    except (Damaged, TypeError):
        return None


def write(path: Path, deaths: Deaths) -> None:
    """Keep them. Raises OSError on a full disk."""
    files.write_document(path, deaths.document())


def moment(seconds: float) -> str:
    """Return a moment, in seconds since 1970, as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _ago(text: str, now: datetime) -> str:
    seconds = max(0, round((now - _moment(text)).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
