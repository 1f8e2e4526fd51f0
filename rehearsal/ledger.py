"""The account of a run: what was sent, what was answered, what every screen and history showed.

Pure bookkeeping, and the checks of what the platform promises on it (H26). Must not know sockets
or HTTP.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

Serial = NewType("Serial", int)

Position = tuple[int, int]


class Outcome(StrEnum):
    """What the sender knows about a message."""

    INVOKED = "invoked"
    OK = "ok"
    FAIL = "fail"
    INFO = "info"


@dataclass(slots=True)
class Sent:
    """One message of the run. Times are seconds on the run's monotonic clock."""

    serial: Serial
    conversation: str
    sender: str
    due: float
    planted: str | None = None
    text: str = ""
    outcome: Outcome = Outcome.INVOKED
    code: str | None = None
    message_id: str | None = None
    answered: float | None = None
    shown: float | None = None


@dataclass(slots=True)
class Shown:
    """One message as a reader got it: a screen after the client rule, or a page of history."""

    serial: Serial
    position: Position
    message_id: str


@dataclass(slots=True)
class Screen:
    """What one person saw of one conversation, in the order it was shown."""

    person: str
    conversation: str
    shown: list[Shown] = field(default_factory=list)
    repeat_frames: int = 0


@dataclass(frozen=True, slots=True)
class Findings:
    """Counts that must be zero, with the first few cases in words."""

    lost: int
    doubled: int
    out_of_order: int
    stored_though_failed: int
    repeat_frames: int
    examples: tuple[str, ...]


EXAMPLES_LIMIT = 20
"""Cases put into words; the counts are always complete."""


class Ledger:
    """Collects a run and judges it. Not thread-safe; one event loop writes it."""

    def __init__(self) -> None:
        self.sent: dict[Serial, Sent] = {}
        self.history: dict[str, list[Shown]] = {}
        self._messages: defaultdict[str, list[Sent]] = defaultdict(list)
        self._screens: defaultdict[str, dict[str, Screen]] = defaultdict(dict)

    def invoke(self, message: Sent) -> None:
        """Write a message down before it is sent for the first time."""
        self.sent[message.serial] = message
        self._messages[message.conversation].append(message)

    def answer(
        self,
        serial: Serial,
        outcome: Outcome,
        *,
        at: float,
        code: str | None = None,
        message_id: str | None = None,
    ) -> None:
        """Write down the final answer; a later answer never overwrites `OK`."""
        message = self.sent[serial]
        if message.outcome is not Outcome.OK:
            message.outcome, message.code, message.answered = outcome, code, at
            message.message_id = message_id or message.message_id

    def screen(self, person: str, conversation: str) -> Screen:
        """Return the screen of a person for a conversation, new at first use."""
        return self._screens[conversation].setdefault(person, Screen(person, conversation))

    def show(self, screen: Screen, shown: Shown, *, at: float) -> None:
        """Write down that a message appeared on a screen."""
        screen.shown.append(shown)
        message = self.sent.get(shown.serial)
        if message is not None:
            message.message_id = shown.message_id
            if message.shown is None and screen.person != message.sender:
                message.shown = at

    def complete(self, conversation: str) -> bool:
        """Whether every screen of the conversation shows everything acknowledged in it."""
        return all(
            self._acknowledged(conversation) <= {shown.serial for shown in screen.shown}
            for screen in self._screens[conversation].values()
        )

    def archived(self, conversation: str) -> bool:
        """Whether the history read last holds everything acknowledged in the conversation."""
        stored = {shown.serial for shown in self.history.get(conversation, ())}
        return self._acknowledged(conversation) <= stored

    def judge(self) -> Findings:
        """Apply the checks of H26 to everything collected."""
        examples: list[str] = []
        readers = self._readers()
        return Findings(
            lost=self._lost(readers, examples),
            doubled=_doubled(readers, examples),
            out_of_order=self._out_of_order(readers, examples),
            stored_though_failed=self._stored_though_failed(examples),
            repeat_frames=sum(
                screen.repeat_frames
                for screens in self._screens.values()
                for screen in screens.values()
            ),
            examples=tuple(examples[:EXAMPLES_LIMIT]),
        )

    def _readers(self) -> Mapping[str, Sequence["_Reader"]]:
        """Every screen, then the history, by conversation. A missing history is an empty one."""
        return {
            conversation: [
                *(_Reader(s.person, s.shown) for s in self._screens[conversation].values()),
                _Reader("history", self.history.get(conversation, ())),
            ]
            for conversation in self._messages
        }

    def _acknowledged(self, conversation: str) -> set[Serial]:
        return {m.serial for m in self._messages[conversation] if m.outcome is Outcome.OK}

    def _lost(self, readers: Mapping[str, Sequence["_Reader"]], examples: list[str]) -> int:
        lost: set[Serial] = set()
        for conversation, group in readers.items():
            acknowledged = self._acknowledged(conversation)
            for reader in group:
                missing = acknowledged - {shown.serial for shown in reader.shown}
                lost |= missing
                examples += [
                    f"lost: {serial} is not on {reader.name} of {conversation}"
                    for serial in sorted(missing)
                ]
        return len(lost)

    def _out_of_order(self, readers: Mapping[str, Sequence["_Reader"]], examples: list[str]) -> int:
        count = 0
        for conversation, group in readers.items():
            for reader in group:
                count += self._sender_inversions(conversation, reader, examples)
            reference = group[-1]
            for reader in group[:-1]:
                if _disagree(reader.shown, reference.shown):
                    count += 1
                    examples.append(
                        f"out of order: {reader.name} and {reference.name} of {conversation}"
                    )
        return count

    def _sender_inversions(self, conversation: str, reader: "_Reader", examples: list[str]) -> int:
        newest: dict[str, Serial] = {}
        count = 0
        for shown in reader.shown:
            message = self.sent.get(shown.serial)
            if message is None:
                continue
            if shown.serial < newest.get(message.sender, shown.serial):
                count += 1
                examples.append(
                    f"out of order: {shown.serial} came after {newest[message.sender]}"
                    f" on {reader.name} of {conversation}"
                )
            newest[message.sender] = max(shown.serial, newest.get(message.sender, shown.serial))
        return count

    def _stored_though_failed(self, examples: list[str]) -> int:
        stored = {shown.serial for items in self.history.values() for shown in items}
        failed = {s.serial for s in self.sent.values() if s.outcome is Outcome.FAIL}
        examples += [f"stored though refused: {serial}" for serial in sorted(stored & failed)]
        return len(stored & failed)


@dataclass(frozen=True, slots=True)
class _Reader:
    name: str
    shown: Sequence[Shown]


def _doubled(readers: Mapping[str, Sequence[_Reader]], examples: list[str]) -> int:
    count = 0
    for conversation, group in readers.items():
        for reader in group:
            repeated = _repeats(shown.serial for shown in reader.shown)
            count += len(repeated)
            examples += [f"doubled: {s} on {reader.name} of {conversation}" for s in repeated]
    return count


def _repeats(serials: Iterable[Serial]) -> list[Serial]:
    seen: set[Serial] = set()
    repeated: list[Serial] = []
    for serial in serials:
        (repeated.append if serial in seen else seen.add)(serial)
    return repeated


def _disagree(one: Sequence[Shown], other: Sequence[Shown]) -> bool:
    """Whether two readers show their common messages in different orders."""
    common = {shown.serial for shown in one} & {shown.serial for shown in other}
    first = list(dict.fromkeys(s.serial for s in one if s.serial in common))
    second = list(dict.fromkeys(s.serial for s in other if s.serial in common))
    return first != second
