"""Whose a conversation is, by its log: one table for the three who read it (H7, H8, H33).

The gateway's stream, the monitor's fold and the archive decide the same thing apart from one
another. Each has a test that plays every case through its own reader:

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_whose_it_is(case: Case) -> None:
        check(case, reader)

A reader is a function from the log to what it makes of it; what it does not decide it leaves None.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from typing_extensions import override


class What(StrEnum):
    """What a record of the log says."""

    OPENED = "opened"
    QUEUED = "queued"
    ASSIGNED = "assigned"
    """To `who`."""
    TRANSFERRED = "transferred"
    """To `who`; None: to the queue."""
    CLOSED = "closed"
    REOPENED = "reopened"
    LATE = "late"
    """The buyer's last word was late: the conversation stays closed (H30)."""
    LATER_TYPE = "later type"
    """A lifecycle event of a newer release (H47)."""
    BUYER = "buyer"
    AGENT = "agent"
    """`who` writes from the seat of `version`; 0: from none."""


@dataclass(frozen=True)
class Step:
    """A record of the log: a lifecycle event with its version, or a message."""

    what: What
    version: int = 0
    who: str | None = None


@dataclass(frozen=True)
class Seen:
    """What a reader makes of a log. None: this reader does not decide it."""

    owner: str | None
    """Who owns the conversation at the end; None: nobody."""
    not_owner: tuple[bool, ...] | None = None
    """For each agent's message: it is marked, for its writer did not own the conversation."""
    contacts: tuple[bool, ...] | None = None
    """For each agent's message: it counts as contact; a goodbye behind the close does not."""
    late: bool | None = None
    """The buyer's last word was late, and is answered elsewhere."""
    may_send: frozenset[str] | None = None
    """Who may write as the conversation's agent at the end."""


@dataclass(frozen=True)
class Case:
    """A log and what every reader must make of it."""

    name: str
    log: tuple[Step, ...]
    seen: Seen

    @override
    def __str__(self) -> str:
        return self.name


Reader: TypeAlias = Callable[[Sequence[Step]], Seen]


def check(case: Case, reader: Reader) -> None:
    """Assert that a reader makes of a log what it must, as far as it decides that at all."""
    found = reader(case.log)
    assert found.owner == case.seen.owner, case.name
    for name in ("not_owner", "contacts", "late", "may_send"):
        decided = getattr(found, name)
        assert decided is None or decided == getattr(case.seen, name), f"{case.name}: {name}"


def seen(
    owner: str | None,
    *,
    not_owner: Sequence[bool] = (),
    goodbyes: Sequence[bool] = (),
    late: bool = False,
) -> Seen:
    """Return what a log comes to; whoever owns a conversation may write in it, nobody else."""
    marked = tuple(not_owner)
    byes = tuple(goodbyes) or (False,) * len(marked)
    may_send = frozenset() if owner is None else frozenset({owner})
    return Seen(owner, marked, tuple(not bye for bye in byes), late, may_send)


def _begun(*rest: Step) -> tuple[Step, ...]:
    return (Step(What.OPENED, 1), Step(What.ASSIGNED, 2, "anne"), Step(What.BUYER), *rest)


_CLOSED: Final = _begun(Step(What.AGENT, 2, "anne"), Step(What.CLOSED, 3))

CASES: Final = (
    Case("the owner answers", _begun(Step(What.AGENT, 2, "anne")), seen("anne", not_owner=[False])),
    Case("messages precede the opening", (Step(What.BUYER), *_begun()), seen("anne")),
    Case(
        "a reply outruns its assignment",
        (Step(What.OPENED, 1), Step(What.BUYER), Step(What.AGENT, 2, "anne")),
        seen("anne", not_owner=[False]),
    ),
    Case(
        "the assignment arrives behind the reply that outran it",
        (
            Step(What.OPENED, 1),
            Step(What.BUYER),
            Step(What.AGENT, 3, "ben"),
            Step(What.ASSIGNED, 2, "anne"),
            Step(What.ASSIGNED, 3, "ben"),
        ),
        seen("ben", not_owner=[False]),
    ),
    Case(
        "an old lifecycle event lands late",
        _begun(Step(What.ASSIGNED, 4, "ben"), Step(What.ASSIGNED, 3, "cleo")),
        seen("ben"),
    ),
    Case(
        "an event told twice changes nothing",
        _begun(Step(What.CLOSED, 3), Step(What.REOPENED, 4), Step(What.CLOSED, 3)),
        seen(None),
    ),
    Case(
        "a reply from a seat that was lost meanwhile is marked",
        _begun(Step(What.TRANSFERRED, 3, "ben"), Step(What.AGENT, 2, "anne")),
        seen("ben", not_owner=[True]),
    ),
    Case(
        "a reply from a seat that the queue took is marked",
        _begun(Step(What.QUEUED, 3), Step(What.AGENT, 2, "anne")),
        seen(None, not_owner=[True]),
    ),
    Case(
        "handed to the queue nobody owns it",
        _begun(Step(What.TRANSFERRED, 3), Step(What.AGENT, 2, "anne")),
        seen(None, not_owner=[True]),
    ),
    Case(
        "a goodbye behind the close is marked, takes no seat and is no contact",
        (*_CLOSED, Step(What.AGENT, 2, "anne")),
        seen(None, not_owner=[False, True], goodbyes=[False, True]),
    ),
    Case(
        "a goodbye behind the reopening, too",
        (*_CLOSED, Step(What.BUYER), Step(What.REOPENED, 4), Step(What.AGENT, 2, "anne")),
        seen(None, not_owner=[False, True], goodbyes=[False, True]),
    ),
    Case(
        "a goodbye behind the next owner's seat, too",
        (
            *_CLOSED,
            Step(What.BUYER),
            Step(What.REOPENED, 4),
            Step(What.ASSIGNED, 5, "ben"),
            Step(What.AGENT, 2, "anne"),
            Step(What.AGENT, 5, "ben"),
        ),
        seen("ben", not_owner=[False, True, False], goodbyes=[False, True, False]),
    ),
    Case(
        "a reply after the reopening outruns both its events",
        (
            *_CLOSED,
            Step(What.BUYER),
            Step(What.AGENT, 5, "ben"),
            Step(What.REOPENED, 4),
            Step(What.ASSIGNED, 5, "ben"),
        ),
        seen("ben", not_owner=[False, False]),
    ),
    Case(
        "a close that a newer seat outran takes nothing away",
        _begun(Step(What.AGENT, 5, "ben"), Step(What.CLOSED, 3), Step(What.REOPENED, 4)),
        seen("ben", not_owner=[False]),
    ),
    Case(
        "a supervisor without a seat is marked",
        _begun(Step(What.AGENT, 2, "sue"), Step(What.AGENT, 2, "anne")),
        seen("anne", not_owner=[True, False]),
    ),
    Case(
        "a late message reopens nothing",
        (*_CLOSED, Step(What.BUYER), Step(What.LATE, 4)),
        seen(None, not_owner=[False], late=True),
    ),
    Case(
        "a type of a newer release raises the version alone",
        _begun(Step(What.LATER_TYPE, 3), Step(What.CLOSED, 3), Step(What.AGENT, 2, "anne")),
        seen("anne", not_owner=[False]),
    ),
)
