"""The tables of `docs/metrics.md`: rule profiles side by side from their files, and sums."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from profiles import SHIPPED
from services.monitor.traffic.domain import SUMS
from tools.pages.markdown import code, table

_WORDS: Final[Mapping[str, str]] = {
    "round_open": "rounds opened",
    "session_start": "sessions started",
    "to_human": "sessions given to a person",
    "cap": "counts as the cap",
    "elapsed": "counts the time waited that day",
    "exclude": "left out of the mean",
}


def profiles(folder: Path) -> list[dict[str, Any]]:
    """Return the data of every profile of a folder, by name."""
    found = (tomllib.loads(path.read_text()) for path in folder.glob("*.toml"))
    return sorted(found, key=lambda each: str(each["name"]))


def tables(folder: Path = SHIPPED) -> dict[str, str]:
    """Return what each profile counts, where its numbers are from, and the sums by day."""
    known = profiles(folder)
    rows = [
        (
            code(each["name"]),
            f"{_WORDS[each['window']['by']]} {each['window']['start']}-{each['window']['end']}",
            ", ".join(each["replies"]["effective"]),
            _unanswered(each),
            f"{each['replies']['within_s']} s",
            f"{each['replies']['first_within_s']} s",
            ", ".join(f"{s} s" for s in each["alerts"]["thresholds_s"]),
        )
        for each in known
    ]
    head = ("profile", "window", "answers", "unanswered", "in time", "first in time", "alerts at")
    sources = [
        f"- `{each['name']}`, in force from {each['effective_from']}: {each['source']}"
        for each in known
    ]
    return {
        "profiles": table(head, rows),
        "sources": "\n".join(sources),
        "sums": table(("sum", "counts"), [(code(name), says) for name, says in SUMS.items()]),
    }


def _unanswered(profile: Mapping[str, Any]) -> str:
    word = _WORDS[profile["rounds"]["unanswered"]]
    cap = profile["rounds"].get("cap_s")
    return word if cap is None else f"{word}, {cap} s"
