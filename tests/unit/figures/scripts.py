"""Logs of single conversations, written by the clock: what the golden cases are told in."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Final

from contracts.conversation import AgentStateChanged
from contracts.people import AgentState, PersonId, Role, SenderKind, ShopId
from tests.faults.figures.counting import Figures, Talk, Whose, table
from tests.faults.figures.log import EPOCH, Change, Changed, Entry, Roster, Said, facts, ms
from tests.faults.figures.rules import SHOP_ZONE, Rule, in_force, shipped

RULES: Final = {rule.name: rule for rule in shipped()}
DAY: Final = date(2026, 11, 11)
NEXT: Final = date(2026, 11, 12)
ONLINE: Final = AgentState.ONLINE


def at(clock: str, day: date = DAY) -> int:
    """Return a moment of the shop's day in milliseconds."""
    return ms(datetime.combine(day, time.fromisoformat(clock), SHOP_ZONE))


class Script:
    """One conversation's log as it grows; versions and ids come by themselves."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._version = 0
        self._seat = 0

    def buyer(self, moment: int, name: str = "") -> "Script":
        """The buyer speaks."""
        return self._say(moment, SenderKind.BUYER, "buyer", name=name)

    def agent(self, moment: int, who: str = "A", *, seat: int | None = None) -> "Script":
        """An agent speaks, from the newest seat unless another is named."""
        return self._say(moment, SenderKind.AGENT, who, seat=self._seat if seat is None else seat)

    def colleague(self, moment: int, who: str = "S") -> "Script":
        """Staff speaks without any seat."""
        return self._say(moment, SenderKind.AGENT, who)

    def machine(self, moment: int, kind: SenderKind) -> "Script":
        """A bot or an automatic text speaks."""
        return self._say(moment, kind, "bot")

    def owned(self, moment: int, who: str = "A") -> "Script":
        """Somebody is given the conversation."""
        self._change(moment, Change.OWNED, agent=who)
        self._seat = self._version
        return self

    def opened(self, moment: int) -> "Script":
        """It is opened, or opened again."""
        return self._change(moment, Change.OPENED)

    def queued(self, moment: int) -> "Script":
        """It goes to the queue."""
        return self._change(moment, Change.QUEUED)

    def closed(self, moment: int, sweep: str | None = None) -> "Script":
        """It is closed, by a person unless a sweep is named."""
        return self._change(moment, Change.CLOSED, sweep=sweep)

    def late(self, moment: int, name: str) -> "Script":
        """A message is told to have come late."""
        return self._change(moment, Change.LATE, message=name)

    def contacted(self, moment: int, since: int) -> "Script":
        """The buyer wrote elsewhere."""
        return self._change(moment, Change.CONTACTED, since=since)

    def again(self, times: int = 1) -> "Script":
        """The newest entry is delivered again."""
        self.entries.extend(self.entries[-1:] * times)
        return self

    def _say(
        self, moment: int, by: SenderKind, who: str, *, seat: int | None = None, name: str = ""
    ) -> "Script":
        name = name or f"m{len(self.entries)}"
        self.entries.append(Said(moment, name, by, who, seat))
        return self

    def _change(
        self,
        moment: int,
        change: Change,
        *,
        agent: str | None = None,
        sweep: str | None = None,
        message: str = "",
        since: int = 0,
    ) -> "Script":
        self._version += 1
        self.entries.append(Changed(moment, self._version, change, agent, sweep, message, since))
        return self


def served(moment: int, who: str = "A") -> Script:
    """Return a conversation that this agent was given at this moment."""
    return Script().owned(moment, who)


def state(agent: str, moment: int, new: AgentState, *, version: int = 1) -> AgentStateChanged:
    """Return a change of an agent's state."""
    return AgentStateChanged(
        id=f"{agent}{version}",
        time=EPOCH,
        shop_id=ShopId("shop"),
        agent_id=PersonId(agent),
        name=agent,
        role=Role.AGENT,
        state=new,
        previous=AgentState.OFFLINE,
        since=datetime.fromtimestamp(moment / 1_000, SHOP_ZONE),
        reason="own_choice",
        version=version,
    )


STAFFED: Final = Roster([state("A", at("00:00"), ONLINE)])


def figures(
    profile: str,
    *scripts: Script,
    day: date = DAY,
    agent: str | None = None,
    now: int | None = None,
    roster: Roster = STAFFED,
    rules: Iterable[Rule] | None = None,
) -> Figures:
    """Return the figures of the whole shop or of one agent, as of `now` or the last entry."""
    rules = in_force([RULES[profile]] if rules is None else rules)
    logs = [script.entries for script in scripts]
    last = max(entry.at for log in logs for entry in log) if now is None else now
    found = table(rules, _talks(logs, last), roster)
    return found.get(Whose(day, agent), Figures())


def _talks(logs: Iterable[list[Entry]], now: int) -> Iterable[Talk]:
    return (Talk("buyer", tuple(facts(log)), now) for log in logs)
