"""What the files of rule profiles mean, chosen by date.

Pure but for reading its files once. No platform's number stands here: all are in the TOML files.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from contracts.people import SenderKind
from profiles import ProfileFile, ProfileRefused, files
from services.monitor.calendar.domain import DAY_MS
from services.monitor.profiles.domain import Profile, ProfileName, Reading, ReadingKey, Window

SESSION_GAP_S: Final = 3_600
"""A silence that ends a session where a profile says nothing else (H36)."""

RULING_KEPT: Final = 1_024
"""Days and readings whose profiles a book remembers; then it starts afresh."""


@dataclass(frozen=True, slots=True)
class ProfileBook:
    """Every version of every profile, each name's versions ascending by date."""

    versions: Mapping[ProfileName, tuple[Profile, ...]]
    readings: tuple[Reading, ...]
    _ruling: dict[tuple[ReadingKey, date], tuple[Profile, ...]] = field(
        default_factory=dict, compare=False
    )

    @classmethod
    def of(cls, profiles: Iterable[Profile]) -> Self:
        """Build a book. Raises `ProfileRefused` if a name has two versions of one date."""
        by_name: dict[ProfileName, list[Profile]] = {}
        for profile in sorted(profiles, key=lambda p: (p.name, p.effective_from)):
            known = by_name.setdefault(profile.name, [])
            if known and known[-1].effective_from == profile.effective_from:
                raise ProfileRefused(
                    f"{profile.name} has two versions from {profile.effective_from}: keep one"
                )
            known.append(profile)
        distinct = {p.reading.key: p.reading for known in by_name.values() for p in known}
        return cls(
            {name: tuple(known) for name, known in by_name.items()},
            tuple(distinct[key] for key in sorted(distinct)),
        )

    @property
    def digests(self) -> Mapping[str, str]:
        """Return a hash of each profile's versions."""
        return {
            name: sha256("\n".join(one.digest for one in known).encode()).hexdigest()[:16]
            for name, known in self.versions.items()
        }

    @property
    def fingerprint(self) -> str:
        """Return a hash of all that the book says (H32)."""
        return sha256(repr(sorted(self.digests.items())).encode()).hexdigest()[:16]

    def under(self, readings: Iterable[ReadingKey], digests: Mapping[str, str]) -> Self:
        """Return what of this book was in force under an earlier one, with that one's readings."""
        mine = self.digests
        return replace(
            self,
            versions={
                name: known
                for name, known in self.versions.items()
                if digests.get(name) == mine[name]
            },
            readings=tuple(Reading.of(key) for key in sorted(readings)),
            _ruling={},
        )

    def in_force(self, name: ProfileName, day: date) -> Profile | None:
        """Return the version of a profile that rules on that local day."""
        for profile in reversed(self.versions.get(name, ())):
            if profile.effective_from <= day:
                return profile
        return None

    def names_ruling(self, reading: ReadingKey, day: date) -> frozenset[ProfileName]:
        """Return the names of the profiles in force on that day which read rounds this way."""
        return frozenset(profile.name for profile in self.ruling(reading, day))

    def ruling(self, reading: ReadingKey, day: date) -> tuple[Profile, ...]:
        """Return the profiles in force on that day which read rounds this way."""
        known = self._ruling.get((reading, day))
        if known is None:
            if len(self._ruling) >= RULING_KEPT:
                self._ruling.clear()
            found = (self.in_force(name, day) for name in self.versions)
            known = tuple(p for p in found if p is not None and p.reading.key == reading)
            self._ruling[reading, day] = known
        return known


def load(folder: Path | None = None) -> ProfileBook:
    """Read the profiles of a folder (None: the shipped ones). Raises `ProfileRefused`."""
    return ProfileBook.of(map(_profile, files.load(folder)))


def parse(text: str, source: str) -> Profile:
    """Read one profile. Raises `ProfileRefused` naming `source`."""
    return _profile(files.parse(text, source))


def _profile(file: ProfileFile) -> Profile:
    cap_s = file.rounds.cap_s
    return Profile(
        name=ProfileName(file.name),
        effective_from=file.effective_from,
        reading=_reading(file),
        window=Window(_clock_ms(file.window.start), _clock_ms(file.window.end)),
        window_by=file.window.by,
        cap_ms=None if cap_s is None else cap_s * 1000,
        unanswered=file.rounds.unanswered,
        transfer_counts=file.rounds.transfer_counts,
        same_day_only=file.rounds.same_day_only,
        leave_messages_count=file.sessions.leave_messages_count,
        within_ms=file.replies.within_s * 1000,
        slow_ms=file.replies.slow_s * 1000,
        first_within_ms=file.replies.first_within_s * 1000,
        thresholds_s=tuple(sorted(set(file.alerts.thresholds_s))),
        breach_s=file.alerts.breach_s,
        anchor=file.replies.anchor,
        slow_times=file.slow.times,
        filters=file.filters,
        levels=file.levels,
        title=file.title,
    )


def _reading(file: ProfileFile) -> Reading:
    sessions = file.sessions
    gap_s, while_waiting = sessions.session_gap_s or SESSION_GAP_S, sessions.gap_while_waiting
    if sessions.silence_s is not None:
        gap_s, while_waiting = sessions.silence_s, True
    return Reading(
        effective=frozenset(map(SenderKind, file.replies.effective)),
        gap_ms=gap_s * 1000,
        gap_while_waiting=while_waiting,
        rejoin_ms=sessions.rejoin_s * 1000,
    )


def _clock_ms(text: str) -> int:
    hours, minutes = text.split(":")
    return min(DAY_MS, (int(hours) * 60 + int(minutes)) * 60_000)
