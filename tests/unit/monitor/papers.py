"""A log on paper, and the fold of it: records go in as a broker would give them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.base import Event
from contracts.people import PersonId, ShopId
from kit.bus.ports import Record, message_of
from kit.ids import SequenceIds
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.fold.engine import Changes, PartitionFold, Start
from services.monitor.measures import measures_of
from services.monitor.profiles import book as profiles
from services.monitor.profiles.book import ProfileBook
from services.monitor.response import measure as response
from services.monitor.response.domain import Round, Score, Session
from services.monitor.response.measure import Response
from services.monitor.response.rollups import CounterKey
from wording import Engine

ENGINE = Engine.load()
SHIPPED = profiles.load()


def rules(book: ProfileBook = SHIPPED) -> Rules:
    """Return rules of a house without listed shops."""
    return Rules(book, Directory(), lambda: ENGINE)


class Paper:
    """A log of one partition, in memory."""

    def __init__(self) -> None:
        self.ids = SequenceIds()
        self.records: list[Record] = []

    async def produce(self, *events: Event) -> None:
        """Append events."""
        for event in events:
            sent, offset = message_of(event), len(self.records)
            at_ms = round(event.time.timestamp() * 1000)
            self.records.append(
                Record("chat", 0, offset, at_ms, sent.key, sent.value, sent.headers)
            )


@dataclass
class Folding:
    """A partition's fold, which may be stopped, stored, taken over and judged by another book."""

    rules: Rules
    fold: PartitionFold = field(init=False)
    changes: Changes = field(init=False)

    def __post_init__(self) -> None:
        self.fold = PartitionFold(Start(0, 0), measures_of(self.rules)())
        self.changes = self.fold.unchanged()

    async def upto(self, records: Sequence[Record]) -> "Folding":
        """Fold records that were not folded yet."""
        batch = await self.fold.fold(records[self.fold.next_offset :], into=self.changes)
        assert batch.poison == []
        return self

    def stored_and_loaded(self, book: ProfileBook | None = None) -> "Folding":
        """Go on as another monitor does that takes the partition over, maybe by another book."""
        if book is not None:
            self.rules = rules(book)
        self.fold.take(measures_of(self.rules)())
        return self

    def forgets(self) -> "Folding":
        """Settle and forget what is over."""
        forgotten = self.fold.forget(len(self.fold.conversations))
        mine, more = self.response, forgotten.of(response.NAME)
        mine.rounds += more.rounds
        mine.sessions += more.sessions
        for owner, scores in more.totals.items():
            totals = mine.totals.setdefault(owner, {})
            for name, score in scores.items():
                totals[name] = totals.get(name, Score()) + score
        return self

    @property
    def response(self) -> response.Changes:
        """What is settled."""
        found: response.Changes = self.changes.of(response.NAME)
        return found

    @property
    def rounds(self) -> list[Round]:
        """What is settled."""
        return [ended for ended, _ in self.response.rounds]

    @property
    def sessions(self) -> list[Session]:
        """What is settled."""
        return [settled for settled, _ in self.response.sessions]

    def waits(self) -> list[str]:
        """Return the conversations in which somebody waits, under any reading."""
        states = self.fold.states
        known = self.fold.conversations.values()
        return [k.standing.name for k in known if states.waiting(k).oldest_ms is not None]

    def totals(self, at_ms: int | None = None) -> dict[CounterKey, Score]:
        """Return settled totals plus what is over as of a moment, or of the newest record."""
        place = self.fold.states.place_of(response.NAME)
        measure = self.fold.states.measures[place]
        assert isinstance(measure, Response)
        found = dict(self.response.counters)
        for known in self.fold.conversations.values():
            until = self.fold.log_ms if at_ms is None else at_ms
            over = measure.shown(known.parts[place], known.standing, until)
            for key, score in over.counters.items():
                found[key] = found.get(key, Score()) + score
        return {key: score for key, score in found.items() if score != Score()}

    def score(
        self, profile: str, agent_id: PersonId | None = None, at_ms: int | None = None
    ) -> Score:
        """Return the figures of a profile, of everybody or of one agent."""
        return sum(
            (
                score
                for key, score in self.totals(at_ms).items()
                if key.profile == profile and agent_id in {None, key.agent_id}
            ),
            Score(),
        )


async def folded(paper: Paper, book: ProfileBook = SHIPPED) -> Folding:
    """Fold a whole log."""
    return await Folding(rules(book)).upto(paper.records)


SHOP = ShopId("shop")
