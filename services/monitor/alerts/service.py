"""Lists what leaders are told, and keeps what people made of it. Must not know routes or SQL."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from contracts.gateway import WordingHit
from contracts.monitor import AlertAcknowledged, AlertKind, Verdict, WordingJudged
from contracts.people import PersonId, ShopId
from kit import outbox
from kit.clock import Clock
from kit.errors import NotFound
from kit.idempotency import CommandKey
from kit.ids import Ids
from kit.postgres import Database
from kit.web import paging
from kit.web.paging import Cursors, Page
from kit.web.tokens import Principal
from services.monitor.alerts import repository
from services.monitor.alerts.domain import LATE_MS, LISTED_MS, Acknowledged, Judgement, Place, Told
from services.monitor.alerts.repository import Asked
from services.monitor.alerts.schemas import (
    Acknowledgement,
    AlertQuery,
    AlertView,
    Feedback,
    Opinion,
)
from services.monitor.evidence import repository as evidence
from services.monitor.evidence.schemas import Confirmation
from services.monitor.evidence.service import confirmation


def _place(kept: Mapping[str, Any]) -> Place:
    return Place(int(kept["at"]), str(kept["id"]))


NEWEST_FIRST: Final[paging.Order[Told, Place]] = paging.Order(
    lambda told: {"at": told.subject.at_ms, "id": told.id}, _place
)


class Alerts:
    """A shop's alerts. Nobody sees another shop's: each statement names the caller's own."""

    def __init__(self, database: Database, cursors: Cursors, *, clock: Clock, ids: Ids) -> None:
        self._db = database
        self._cursors = cursors
        self._clock = clock
        self._ids = ids

    async def page(self, shop_id: ShopId, query: AlertQuery) -> Page[AlertView]:
        """Return a page of alerts, newest first. Raises `BadCursor`, and `NotFound` for `after`."""
        page = paging.page(
            self._cursors, query, by=NEWEST_FIRST, shop_id=shop_id, list_name="alerts"
        )
        since = self._since()
        async with self._db.read(shop_id) as session:
            if query.after is not None:
                known = await repository.subject(session, shop_id, query.after, since_ms=since)
                if known is None:
                    raise NotFound
                since = max(since, known.at_ms - LATE_MS)
            asked = Asked(shop_id, since, query.state)
            told = await repository.alerts(session, asked, after=page.after, limit=page.limit)
            ids = [one.id for one in told]
            done = await repository.acknowledged(session, shop_id, ids)
            judged = await repository.judgements(session, shop_id, ids)
            meant = {
                incident: confirmation(row)
                for incident, row in (await evidence.confirmations(session, shop_id, ids)).items()
            }
        return page.show(
            told,
            lambda one: _view(
                one,
                meant=meant.get(one.id),
                done=done.get(one.id),
                judged=judged.get(one.id, []),
            ),
        )

    async def judge(
        self,
        principal: Principal,
        place: tuple[AlertKind, str],
        opinion: Opinion,
        *,
        key: CommandKey,
        only: PersonId | None,
    ) -> Feedback:
        """Keep what the caller makes of a flag or an incident, of his own alone with `only`.

        His latest verdict stands. Raises `NotFound`.
        """
        kind, subject_id = place
        shop_id = ShopId(principal.shop_id)
        async with self._db.keyed(key) as command:
            about = await repository.subject(
                command.session, shop_id, subject_id, since_ms=self._since()
            )
            if about is None or about.kind is not kind or only not in {None, about.person_id}:
                raise NotFound
            judged = Judgement(
                subject_id,
                PersonId(principal.subject),
                principal.name,
                opinion.verdict,
                opinion.note,
                self._clock.now_ms(),
            )
            if await repository.judge(command.session, shop_id, judged):
                await outbox.add(
                    command.session,
                    WordingJudged(
                        id=self._ids.new(),
                        time=_moment(judged.at_ms),
                        shop_id=shop_id,
                        kind=about.kind,
                        subject_id=subject_id,
                        conversation_id=about.conversation_id,
                        person_id=judged.person_id,
                        name=judged.name,
                        verdict=judged.verdict,
                        note=judged.note,
                    ),
                )
            return await command.keep(_feedback(judged))

    async def acknowledge(
        self, principal: Principal, alert_id: str, opinion: Opinion, *, key: CommandKey
    ) -> Acknowledgement:
        """Take care of an alert; whoever comes second is told who was first. Raises `NotFound`."""
        shop_id = ShopId(principal.shop_id)
        async with self._db.keyed(key) as command:
            about = await repository.subject(
                command.session, shop_id, alert_id, since_ms=self._since()
            )
            if about is None:
                raise NotFound
            done = Acknowledged(
                alert_id,
                PersonId(principal.subject),
                principal.name,
                opinion.verdict,
                opinion.note,
                self._clock.now_ms(),
            )
            if not await repository.acknowledge(command.session, shop_id, done):
                first = await repository.acknowledged(command.session, shop_id, [alert_id])
                return await command.keep(_acknowledgement(first[alert_id]))
            await outbox.add(
                command.session,
                AlertAcknowledged(
                    id=self._ids.new(),
                    time=_moment(done.at_ms),
                    shop_id=shop_id,
                    alert_id=alert_id,
                    kind=about.kind,
                    conversation_id=about.conversation_id,
                    person_id=done.person_id,
                    name=done.name,
                    verdict=done.verdict,
                    note=done.note,
                ),
            )
            return await command.keep(_acknowledgement(done))

    def _since(self) -> int:
        """Return since when alerts are listed."""
        return self._clock.now_ms() - LISTED_MS


def _view(
    told: Told, *, meant: Confirmation | None, done: Acknowledged | None, judged: list[Judgement]
) -> AlertView:
    return AlertView.model_validate(
        {
            "id": told.id,
            "kind": told.subject.kind,
            "at": _moment(told.subject.at_ms),
            "conversation_id": told.subject.conversation_id,
            "person_id": told.subject.person_id,
            "speaker": told.speaker,
            "action": told.action,
            "threshold_s": told.threshold_s,
            "categories": list(told.categories),
            "hits": [WordingHit.model_validate(hit) for hit in told.hits],
            "text": told.text,
            "confirmed": meant,
            "acknowledged": None if done is None else _acknowledgement(done),
            "feedback": [_feedback(one) for one in judged],
        }
    )


def _feedback(judged: Judgement) -> Feedback:
    return Feedback(
        person_id=judged.person_id,
        name=judged.name,
        verdict=Verdict(judged.verdict),
        note=judged.note,
        at=_moment(judged.at_ms),
    )


def _acknowledgement(done: Acknowledged) -> Acknowledgement:
    return Acknowledgement(
        alert_id=done.alert_id,
        person_id=done.person_id,
        name=done.name,
        verdict=done.verdict,
        note=done.note,
        at=_moment(done.at_ms),
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
