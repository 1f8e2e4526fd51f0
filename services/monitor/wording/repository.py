"""Rows of flags, and of the rules by which messages were checked."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.fold.measures import Row, Stretch
from services.monitor.tables import many
from services.monitor.wording.domain import FlagDay, FlaggedMessage, Span, Wording, utc_day


async def add_flags(session: AsyncSession, flags: Sequence[tuple[Stretch, FlaggedMessage]]) -> None:
    """Insert flags; one that is stored stays."""
    rows = [
        (
            f.message_id, of.generation, f.partition, f.offset, f.shop_id, f.conversation_id,
            f.sender_id, f.speaker, f.at_ms, json.dumps(f.categories), f.hits,
            f.lexicon_version, f.policy_version,
        )
        for of, f in flags
    ]  # fmt: skip
    names = ("messages", "generations", "partitions", "offsets", "shops", "conversations",
             "senders", "speakers", "moments", "categories", "hits", "lexicons",
             "policies")  # fmt: skip
    await many(session, _FLAGS, names=names, rows=rows)


async def add_spans(session: AsyncSession, spans: Sequence[tuple[Stretch, Span]]) -> None:
    """Insert from where on which rules were in force."""
    rows = [
        (of.generation, of.partition, span.shop_id, span.first_offset, *span.wording)
        for of, span in spans
    ]
    names = ("generations", "partitions", "shops", "offsets", "lexicons", "policies")
    await many(session, _SPANS, names=names, rows=rows)


async def count(session: AsyncSession, flags: Sequence[tuple[int, FlagDay, int]]) -> None:
    """Add flags to the traffic of their days, which the messages have made; in one order."""
    rows = sorted((partition, *day, number) for partition, day, number in flags)
    names = "partitions", "shops", "days", "speakers", "numbers"
    await many(session, _COUNT, names=names, rows=rows)


async def last_wording(session: AsyncSession, mine: Mapping[str, Any]) -> dict[ShopId, Wording]:
    """Return the rules by which each shop's last message was checked."""
    rows = await session.execute(_LAST_SPANS, mine)
    return {ShopId(shop): Wording(*versions) for shop, *versions in rows}


async def spans(session: AsyncSession, mine: Mapping[str, Any]) -> list[Span]:
    """Return which rules were in force from where on, ascending."""
    rows = await session.execute(_KEPT_SPANS, mine)
    return [Span(ShopId(shop), at, Wording(*versions)) for shop, at, *versions in rows]


async def kept(session: AsyncSession, mine: Mapping[str, Any]) -> list[Row]:
    """Return the stored flags of a generation's partition."""
    rows = await session.execute(_KEPT_FLAGS, mine)
    return [
        Row("flags", (message, shop, at), tuple(columns), at, day=utc_day(columns[3]))
        for message, shop, at, *columns in rows
    ]


_FLAGS: Final = text(
    """
    insert into flags (message_id, generation, partition, "offset", shop_id, conversation_id,
        sender_id, speaker, at_ms, categories, hits, lexicon_version, policy_version)
    select m, g, p, o, s, c, sender, speaker, at_ms,
        array(select jsonb_array_elements_text(categories)), hits, lexicon, policy
    from unnest(
        cast(:messages as text[]), cast(:generations as smallint[]),
        cast(:partitions as integer[]), cast(:offsets as bigint[]),
        cast(:shops as text[]), cast(:conversations as text[]), cast(:senders as text[]),
        cast(:speakers as text[]), cast(:moments as bigint[]), cast(:categories as jsonb[]),
        cast(:hits as jsonb[]), cast(:lexicons as text[]), cast(:policies as text[]))
        as f(m, g, p, o, s, c, sender, speaker, at_ms, categories, hits, lexicon, policy)
    on conflict (message_id) do nothing
    """
)
_SPANS: Final = text(
    """
    insert into wording_spans (generation, partition, shop_id, first_offset, lexicon_version,
        policy_version)
    select * from unnest(
        cast(:generations as smallint[]), cast(:partitions as integer[]),
        cast(:shops as text[]), cast(:offsets as bigint[]),
        cast(:lexicons as text[]), cast(:policies as text[]))
    """
)
_COUNT: Final = text(
    """
    update traffic set flags_agent = flags_agent + new.agent, flags_buyer = flags_buyer + new.buyer
    from (
        select p, s, d, coalesce(sum(n) filter (where by = 'agent'), 0) as agent,
            coalesce(sum(n) filter (where by = 'buyer'), 0) as buyer
        from unnest(cast(:partitions as integer[]), cast(:shops as text[]),
            cast(:days as date[]), cast(:speakers as text[]), cast(:numbers as bigint[]))
            as u(p, s, d, by, n)
        group by p, s, d
    ) as new
    where partition = new.p and shop_id = new.s and day = new.d
    """
)
_LAST_SPANS: Final = text(
    """
    select distinct on (shop_id) shop_id, lexicon_version, policy_version from wording_spans
    where generation = :generation and partition = :partition
    order by shop_id, first_offset desc
    """
)
_KEPT_FLAGS: Final = text(
    """
    select message_id, shop_id, "offset", conversation_id, sender_id, speaker, at_ms, hits,
        lexicon_version, policy_version
    from flags where generation = :generation and partition = :partition
    """
)
_KEPT_SPANS: Final = text(
    """
    select shop_id, first_offset, lexicon_version, policy_version from wording_spans
    where generation = :generation and partition = :partition order by first_offset
    """
)
