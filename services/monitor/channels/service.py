"""Keeps a shop's channels, shows what went over them, and sends a test (N41).

Must not know routes or SQL. An address and a secret leave this room towards the robot alone.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from contracts.people import ShopId
from kit.audit import Audit
from kit.clock import Clock
from kit.errors import Conflict, NotFound
from kit.idempotency import CommandKey
from kit.ids import Ids
from kit.outgoing import AddressRefused, Outgoing
from kit.postgres import Database
from kit.sealing import Sealer
from kit.web import paging
from kit.web.paging import Cursors, Page
from kit.web.preconditions import ensure_version
from kit.web.problems import invalid
from kit.web.tokens import Principal
from services.monitor.channels import repository
from services.monitor.channels.domain import (
    CHANNELS_MOST,
    Channel,
    ChannelState,
    DeliveryState,
    Kind,
    Language,
    Level,
    Mentions,
    Notice,
    Secrets,
    Step,
)
from services.monitor.channels.models import ChannelRow, DeliveryRow
from services.monitor.channels.repository import Place, Posted
from services.monitor.channels.robots import HOSTS, SIGNED, masked, new_secret, usable_secret
from services.monitor.channels.schemas import (
    ChannelChange,
    ChannelList,
    ChannelView,
    DeliveryQuery,
    DeliveryView,
    MentionedPeople,
    NewChannel,
    Removed,
)

TEST_TITLE: Final = {"zh": "PeakDesk 通道测试", "en": "PeakDesk channel test"}


class TooManyChannels(Conflict):
    """The shop has as many as it may."""

    slug, title = "too_many_channels", f"A shop has at most {CHANNELS_MOST} channels"


def _place(kept: Mapping[str, Any]) -> Place:
    return Place(int(kept["at"]), str(kept["id"]))


NEWEST_FIRST: Final[paging.Order[DeliveryRow, Place]] = paging.Order(
    lambda row: {"at": row.created_ms, "id": row.id}, _place
)


class ChannelReading:
    """A shop's channels, and what went over them."""

    def __init__(self, database: Database, cursors: Cursors) -> None:
        self._db = database
        self._cursors = cursors

    async def channels(self, shop_id: ShopId) -> ChannelList:
        """Return the shop's channels."""
        async with self._db.read(shop_id) as session:
            rows = await repository.channels(session, shop_id)
        return ChannelList(items=[_view(row) for row in rows])

    async def deliveries(
        self, shop_id: ShopId, channel_id: str, query: DeliveryQuery
    ) -> Page[DeliveryView]:
        """Return a page of what went over a channel. Raises `BadCursor`, `NotFound`."""
        page = paging.page(
            self._cursors,
            query,
            by=NEWEST_FIRST,
            shop_id=shop_id,
            list_name=f"deliveries {channel_id}",
        )
        async with self._db.read(shop_id) as session:
            if await repository.channel(session, shop_id, channel_id) is None:
                raise NotFound
            rows = await repository.page(
                session, shop_id, channel_id, after=page.after, limit=page.limit
            )
        return page.show(rows, _delivery)


class ChannelCommands:
    """Makes, changes, tries and removes channels; each leaves a row in the audit."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        outgoing: Outgoing,
        *,
        audit: Audit,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._db = database
        self._sealer = sealer
        self._outgoing = outgoing
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def add(self, principal: Principal, new: NewChannel, *, key: CommandKey) -> ChannelView:
        """Make a channel. A secret that was made for a webhook stands in this answer alone.

        Raises `TooManyChannels`, and 422 for an address that nothing may be sent to.
        """
        shop_id, now_ms = ShopId(principal.shop_id), self._clock.now_ms()
        await self._check(new.kind, new.url, new.secret)
        made = new_secret() if new.kind is Kind.WEBHOOK and new.secret is None else None
        secrets = Secrets(new.url, new.secret or made)
        async with self._db.keyed(key) as command:
            if len(await repository.channels(command.session, shop_id)) >= CHANNELS_MOST:
                raise TooManyChannels
            row = ChannelRow(
                id=self._ids.new(),
                shop_id=shop_id,
                name=new.name,
                kind=new.kind.value,
                levels=_levels(new.levels),
                language=new.language.value,
                mentions=new.mentions.model_dump(),
                names=new.names,
                state=ChannelState.ON.value,
                why=None,
                rests_until_ms=None,
                version=1,
                created_ms=now_ms,
                changed_ms=now_ms,
            )
            self._keep(row, secrets)
            command.session.add(row)
            await self._audit.note(
                command.session, principal, "channel_added", row.id, note=row.address
            )
            answer = await command.keep(_view(row))
        return answer.model_copy(update={"secret": made})

    async def change(
        self,
        principal: Principal,
        channel_id: str,
        change: ChannelChange,
        *,
        version: int,
    ) -> ChannelView:
        """Change a channel; one that was broken is mended by putting it on.

        Raises `NotFound`, `PreconditionFailed`, and 422 as `add` does.
        """
        shop_id = ShopId(principal.shop_id)
        async with self._db.read(shop_id) as session:
            known = await repository.channel(session, shop_id, channel_id)
        if known is None:
            raise NotFound
        before = opened(self._sealer, known)
        secrets = Secrets(change.url or before.url, change.secret or before.secret)
        if secrets != before:
            await self._check(Kind(known.kind), secrets.url, secrets.secret)
        async with self._db.write(shop_id) as session:
            row = await repository.channel(session, shop_id, channel_id, lock=True)
            if row is None:
                raise NotFound
            ensure_version(version, row.version)
            if secrets != before:
                self._keep(row, secrets)
                _mend(row)
            _apply(row, change)
            row.version += 1
            row.changed_ms = self._clock.now_ms()
            await session.flush()
            if row.state == ChannelState.OFF.value:
                await repository.give_up(session, row.id, code="off", now_ms=row.changed_ms)
            said = ", ".join(sorted(change.model_fields_set))
            await self._audit.note(session, principal, "channel_changed", row.id, note=said)
            return _view(row)

    async def remove(self, principal: Principal, channel_id: str, *, version: int) -> Removed:
        """Remove a channel. Raises `NotFound`, `PreconditionFailed`."""
        shop_id = ShopId(principal.shop_id)
        async with self._db.write(shop_id) as session:
            row = await repository.channel(session, shop_id, channel_id, lock=True)
            if row is None:
                raise NotFound
            ensure_version(version, row.version)
            await self._audit.note(session, principal, "channel_removed", row.id, note=row.address)
            await repository.remove(session, row.id, now_ms=self._clock.now_ms())
            return Removed(id=channel_id)

    async def test(self, principal: Principal, channel_id: str, *, key: CommandKey) -> DeliveryView:
        """Send a test; what became of it stands in the deliveries a moment later.

        Also over a channel that is off or broken: so one sees whether it was mended. Raises
        `NotFound`.
        """
        shop_id, now_ms = ShopId(principal.shop_id), self._clock.now_ms()
        notice = Notice("test", TEST_TITLE, Level.INFO, Step.TEST, now_ms)
        async with self._db.keyed(key) as command:
            if await repository.channel(command.session, shop_id, channel_id) is None:
                raise NotFound
            posted = Posted(self._ids.new(), channel_id, notice)
            await repository.add(
                command.session,
                shop_id,
                [posted],
                state=DeliveryState.PENDING,
                now_ms=now_ms,
            )
            await self._audit.note(command.session, principal, "channel_tested", channel_id)
            found = await repository.delivery(command.session, posted.id)
            return await command.keep(_delivery(found))

    async def _check(self, kind: Kind, url: str, secret: str | None) -> None:
        """Refuse an address that nothing may be sent to, and a secret that nothing is signed with.

        Which addresses lead inside is asked again whenever something is sent.
        """
        try:
            where = await self._outgoing.check(url)
        except AddressRefused as refused:
            raise invalid([{"loc": ("body", "url"), "msg": refused.reason}]) from None
        if not where.is_stand_in and where.host not in HOSTS.get(kind, {where.host}):
            raise invalid([{"loc": ("body", "url"), "msg": "not_of_this_kind"}])
        if secret is not None and not usable_secret(kind, secret):
            reason = "no_secret" if kind not in SIGNED else "not_a_secret"
            raise invalid([{"loc": ("body", "secret"), "msg": reason}])

    def _keep(self, row: ChannelRow, secrets: Secrets) -> None:
        row.sealed = self._sealer.seal(json.dumps(secrets), about=row.id)
        row.address, row.has_secret = masked(secrets.url), secrets.secret is not None


def opened(sealer: Sealer, row: ChannelRow) -> Secrets:
    """Return what is sealed of a channel. Raises `kit.sealing.Unsealable`."""
    return Secrets(*json.loads(sealer.open(row.sealed, about=row.id)))


def channel_of(sealer: Sealer, row: ChannelRow) -> Channel:
    """Return a channel as it is sent to. Raises `kit.sealing.Unsealable`."""
    return Channel(
        row.id,
        ShopId(row.shop_id),
        Kind(row.kind),
        Language(row.language),
        Mentions(tuple(row.mentions["people"]), row.mentions["everybody"]),
        row.names,
        ChannelState(row.state),
        opened(sealer, row),
    )


def _apply(row: ChannelRow, change: ChannelChange) -> None:
    row.name = change.name or row.name
    row.levels = row.levels if change.levels is None else _levels(change.levels)
    row.language = row.language if change.language is None else change.language.value
    row.mentions = row.mentions if change.mentions is None else change.mentions.model_dump()
    row.names = row.names if change.names is None else change.names
    if change.on is not None:
        row.state = (ChannelState.ON if change.on else ChannelState.OFF).value
        row.why = row.rests_until_ms = None


def _mend(row: ChannelRow) -> None:
    """Let a channel that was broken be tried again."""
    if row.state == ChannelState.BROKEN.value:
        row.state, row.why, row.rests_until_ms = ChannelState.ON.value, None, None


def _levels(levels: list[Level]) -> list[str]:
    return [level.value for level in sorted(set(levels), key=lambda level: level.rank)]


def _view(row: ChannelRow) -> ChannelView:
    return ChannelView(
        id=row.id,
        name=row.name,
        kind=Kind(row.kind),
        address=row.address,
        has_secret=row.has_secret,
        levels=[Level(level) for level in row.levels],
        language=Language(row.language),
        mentions=MentionedPeople.model_validate(row.mentions),
        names=row.names,
        state=ChannelState(row.state),
        why=row.why,
        rests_until=_moment(row.rests_until_ms),
        version=row.version,
        created_at=datetime.fromtimestamp(row.created_ms / 1000, UTC),
    )


def _delivery(row: DeliveryRow) -> DeliveryView:
    waits = row.state == DeliveryState.PENDING.value
    tallies = row.content.get("tallies", ())
    count = sum(one["number"] for one in tallies) if tallies else row.content.get("count", 1)
    return DeliveryView(
        id=row.id,
        step=Step(row.step),
        level=Level(row.level),
        rule=row.rule,
        title=row.content.get("title", {}),
        count=count,
        alert_id=row.alert_id,
        state=DeliveryState(row.state),
        attempts=row.attempt,
        code=row.code,
        merged_into=row.merged_into,
        at=datetime.fromtimestamp(row.created_ms / 1000, UTC),
        settled_at=_moment(row.settled_ms),
        next_at=_moment(row.due_ms) if waits else None,
    )


def _moment(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
