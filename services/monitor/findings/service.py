"""Tells, lists and counts what was found, and keeps what people make of it.

Must not know routes or SQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from contracts.monitor import ReceptionFlagged, ReceptionJudged, ReceptionVerdict
from contracts.people import PersonId, ShopId
from kit import outbox, sheets
from kit.clock import Clock
from kit.errors import NotFound
from kit.idempotency import CommandKey
from kit.ids import Ids, derived_id
from kit.postgres import Database
from kit.web import paging
from kit.web.paging import Cursors, Page
from kit.web.tokens import Principal
from reception import RuleName, fingerprint, load
from services.monitor.calendar.domain import Calendar
from services.monitor.directory.shops import Directory
from services.monitor.figures.domain import Bucket, parts
from services.monitor.findings import repository
from services.monitor.findings.domain import (
    SUMS,
    TOLD_MS,
    Finding,
    FindingBy,
    Judgement,
    Place,
    Sums,
)
from services.monitor.findings.repository import Asked
from services.monitor.findings.schemas import (
    FindingFeedback,
    FindingOpinion,
    FindingRow,
    FindingsQuery,
    FindingsReport,
    FindingsReportQuery,
    FindingSums,
    FindingView,
    Rulebook,
    RuleView,
)
from services.monitor.reports.schemas import DaysQuery

TOLD_AT_ONCE: Final = 500
"""Flags that one transaction tells of."""


def _place(kept: Mapping[str, Any]) -> Place:
    return Place(int(kept["at"]), str(kept["id"]))


NEWEST_FIRST: Final[paging.Order[Finding, Place]] = paging.Order(
    lambda found: {"at": found.at_ms, "id": found.id}, _place
)


class Findings:
    """A shop's flags of reception. Nobody sees another shop's."""

    def __init__(
        self, database: Database, directory: Directory, cursors: Cursors, *, clock: Clock, ids: Ids
    ) -> None:
        self._db = database
        self._directory = directory
        self._cursors = cursors
        self._clock = clock
        self._ids = ids
        self._files = load()

    async def tell_due(self) -> int:
        """Tell of what is new, or is worse than was told; return how many."""
        now_ms = self._clock.now_ms()
        async with self._db.write_across("flags of reception that nobody was told of") as session:
            found = await repository.untold(
                session, now_ms=now_ms, since_ms=now_ms - TOLD_MS, limit=TOLD_AT_ONCE
            )
            await outbox.add(session, *map(_event, found))
        return len(found)

    async def page(
        self, shop_id: ShopId, query: FindingsQuery, *, only: PersonId | None
    ) -> Page[FindingView]:
        """Return a page of flags, with `only` of one agent alone. Raises `BadCursor`."""
        asked = self._asked(shop_id, query, rule=query.rule, agent=only or query.agent)
        name = f"reception:{asked.rule}:{asked.agent_id}:{asked.start_ms}:{asked.end_ms}"
        wanted = paging.page(self._cursors, query, by=NEWEST_FIRST, shop_id=shop_id, list_name=name)
        async with self._db.read(shop_id) as session:
            found = await repository.page(session, asked, after=wanted.after, limit=wanted.limit)
            ids = [one.id for one in found]
            judged = await repository.judgements(session, shop_id, ids)
        return wanted.show(found, lambda one: _view(one, judged.get(one.id, [])))

    async def judge(
        self,
        principal: Principal,
        flag: str,
        opinion: FindingOpinion,
        *,
        key: CommandKey,
        only: PersonId | None,
    ) -> FindingFeedback:
        """Keep what the caller makes of a flag, of his own alone with `only`.

        His latest verdict stands. Raises `NotFound`.
        """
        shop_id = ShopId(principal.shop_id)
        async with self._db.keyed(key) as command:
            found = await repository.one(command.session, shop_id, flag)
            if found is None or only not in {None, found.agent_id}:
                raise NotFound
            judged = Judgement(
                flag,
                PersonId(principal.subject),
                principal.name,
                opinion.verdict,
                opinion.note,
                self._clock.now_ms(),
            )
            if await repository.judge(command.session, shop_id, judged):
                await outbox.add(command.session, self._judged(found, judged))
            return await command.keep(_feedback(judged))

    async def report(self, shop_id: ShopId, query: FindingsReportQuery) -> FindingsReport:
        """Return what counts, by rule, agent or day."""
        calendar = self._directory.calendar(shop_id)
        asked = self._asked(shop_id, query)
        async with self._db.read(shop_id) as session:
            whole = await repository.sums(session, asked, by=None)
            found = await repository.sums(session, asked, by=query.by)
        return FindingsReport(
            shop_id=shop_id,
            time_zone=str(calendar.zone),
            start=_moment(asked.start_ms),
            end=_moment(asked.end_ms),
            by=query.by,
            whole=FindingSums(**asdict(whole.get(None, Sums()))),
            rows=[
                FindingRow(
                    **asdict(sums),
                    **_about(query.by, key, asked.days),
                    doubted=query.by is FindingBy.RULE and sums.doubted,
                )
                for key, sums in _in_order(query.by, found)
            ],
        )

    async def report_csv(self, shop_id: ShopId, query: FindingsReportQuery) -> str:
        """Return the same rows as a file."""
        report, zone = await self.report(shop_id, query), self._directory.calendar(shop_id).zone

        def about(row: FindingRow) -> str:
            if row.agent_id is not None:
                return self._directory.name(row.agent_id)
            return row.rule or (row.start or report.start).astimezone(zone).isoformat()

        rows = ((about(row), *(getattr(row, name) for name in SUMS)) for row in report.rows)
        return sheets.MARK + sheets.lines([(query.by.value, *SUMS), *rows])

    def rules(self) -> Rulebook:
        """Return the rules in force."""
        rules = [RuleView.model_validate(file, from_attributes=True) for file in self._files]
        order = list(RuleName)
        rules.sort(key=lambda one: order.index(one.rule))
        return Rulebook(version=fingerprint(self._files), rules=rules)

    def _asked(
        self,
        shop_id: ShopId,
        query: DaysQuery,
        *,
        rule: RuleName | None = None,
        agent: str | None = None,
    ) -> Asked:
        calendar = self._directory.calendar(shop_id)
        start_ms, end_ms = calendar.midnight(query.start), calendar.midnight(query.end)
        days = _days(calendar, start_ms, end_ms)
        agent_id = None if agent is None else PersonId(agent)
        return Asked(shop_id, start_ms, end_ms, self._clock.now_ms(), rule, agent_id, days)

    def _judged(self, found: Finding, judged: Judgement) -> ReceptionJudged:
        return ReceptionJudged(
            id=self._ids.new(),
            time=_moment(judged.at_ms),
            shop_id=found.shop_id,
            flag_id=found.id,
            rule=found.rule,
            conversation_id=found.conversation_id,
            agent_id=found.agent_id,
            person_id=judged.person_id,
            name=judged.name,
            verdict=judged.verdict,
            note=judged.note,
        )


def _event(found: Finding) -> ReceptionFlagged:
    return ReceptionFlagged(
        id=derived_id("reception_flagged", f"{found.id}:{found.severity}"),
        time=_moment(found.at_ms),
        shop_id=found.shop_id,
        flag_id=found.id,
        rule=found.rule,
        severity=found.severity,
        conversation_id=found.conversation_id,
        agent_id=found.agent_id,
        position=(found.generation, found.offsets[0]),
    )


def _view(found: Finding, judged: Sequence[Judgement]) -> FindingView:
    others = {one.verdict for one in judged if one.person_id != found.agent_id}
    return FindingView(
        id=found.id,
        rule=RuleName(found.rule),
        conversation_id=found.conversation_id,
        agent_id=found.agent_id,
        at=_moment(found.at_ms),
        severity=found.severity,
        times=found.times,
        seconds=found.seconds,
        positions=[(found.generation, offset) for offset in found.offsets],
        counts=ReceptionVerdict.NOT_BAD not in others,
        feedback=[_feedback(one) for one in judged],
    )


def _feedback(judged: Judgement) -> FindingFeedback:
    return FindingFeedback(
        person_id=judged.person_id,
        name=judged.name,
        verdict=judged.verdict,
        note=judged.note,
        at=_moment(judged.at_ms),
    )


def _days(calendar: Calendar, start_ms: int, end_ms: int) -> Sequence[int]:
    return parts(calendar, start_ms, end_ms, bucket=Bucket.DAY)


def _in_order(by: FindingBy, found: dict[Any, Sums]) -> list[tuple[Any, Sums]]:
    """Put days in their order, and what else there is by how much there was of it."""
    if by is FindingBy.DAY:
        return sorted(found.items())
    return sorted(found.items(), key=lambda item: (-item[1].flags, item[0]))


def _about(by: FindingBy, key: Any, days: Sequence[int]) -> dict[str, Any]:
    match by:
        case FindingBy.RULE:
            return {"rule": RuleName(key)}
        case FindingBy.AGENT:
            return {"agent_id": PersonId(key)}
        case FindingBy.DAY:
            return {"start": _moment(days[key - 1])}


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
