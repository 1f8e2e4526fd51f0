"""What people read of the monitor, and what it asks itself all the time, is found by index."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
import pytest_asyncio

from contracts.people import ConversationId, PersonId, ShopId
from kit.postgres import Database
from services.monitor import app
from services.monitor.alerting import repository as alerting
from services.monitor.alerting.domain import AlertState as StandingState
from services.monitor.alerting.repository import Place as StandingPlace
from services.monitor.alerts import repository as alerts
from services.monitor.alerts.domain import AlertState
from services.monitor.alerts.domain import Place as AlertPlace
from services.monitor.alerts.repository import Asked as AlertsAsked
from services.monitor.boards import repository as boards
from services.monitor.channels import repository as channels
from services.monitor.channels.repository import Place as ChannelPlace
from services.monitor.curve import repository as curve
from services.monitor.drill import repository as drill
from services.monitor.drill.domain import Place as DrillPlace
from services.monitor.drill.domain import Wanted
from services.monitor.drill.repository import Asked
from services.monitor.evidence import repository as evidence
from services.monitor.evidence.repository import Place
from services.monitor.facts import repository as facts
from services.monitor.figures import repository as figures
from services.monitor.findings import repository as findings
from services.monitor.findings.domain import FindingBy
from services.monitor.findings.domain import Place as FindingPlace
from services.monitor.fold import repository as folds
from services.monitor.profiles.domain import ProfileName
from services.monitor.recount import repository as recounts
from services.monitor.reports import repository as reports
from services.monitor.reports.domain import WordingBy
from services.monitor.response import repository as response
from services.monitor.retention import repository as retention
from services.monitor.settings import Settings
from services.monitor.tables import AUDIT
from services.monitor.traffic import repository as traffic
from services.monitor.waiting import repository as waiting
from tests.infrastructure import Infrastructure
from tests.plans import (
    AUDIT_FILL,
    Read,
    assert_all_are_there,
    assert_spared,
    audit_reads,
    directly,
    filled,
)

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SHOP, DAY, DAY_MS = ShopId("plans"), date(2026, 11, 11), 1_794_355_200_000
FLAGS, INCIDENTS = ("/v1/monitor/flags",), ("/v1/monitor/incidents",)
AGED = (*retention.FIGURES, *retention.EVIDENCE, *retention.ALERTS)
LIVE = "a shop's live conversations, which its board sums anyway; `waiting_ms` changes with every"
LIVE += " word of a buyer, and an index on it would be written each time"

JUDGED = "how a profile counted a row stands in the row; the stretch and the place bound how many"
TIES = "rows of one millisecond are put in order; the index gives the milliseconds"
STRETCH = Asked(SHOP, ProfileName("qiyu"), DAY_MS - 86_400_000, DAY_MS + 86_400_000, Wanted())
SAID = reports.Asked(SHOP, DAY_MS - 86_400_000, DAY_MS, (DAY_MS - 86_400_000,))
BEHIND = DrillPlace(DAY_MS, ConversationId("c5"), 5)

FOUND = findings.Asked(SHOP, DAY_MS - 86_400_000, DAY_MS + 86_400_000, DAY_MS)
FOUND_OF = replace(FOUND, agent_id=PersonId("agent-5"))
NOT_YET = "what was taken back or is not due yet stands among what was found: one in a hundred"
TAKEN_CARE_OF = "whether an alert was taken care of stands elsewhere; a week bounds how many"
KINDS = "three kinds become one list; each gives its newest by its index"
STANDING = "most alerts are over; the index gives the newest, and ninety days bound how many"
BY_KEY = "a row is found by its key; whose shop it is is looked at beside it"

READS = [
    *(
        Read(
            f"{title} {whose}",
            partial(findings.page, query=query, after=after, limit=51),
            ("/v1/monitor/reception",),
            filters=NOT_YET,
        )
        for whose, query in (("of a shop", FOUND), ("of an agent", FOUND_OF))
        for title, after in (("findings", None), ("more findings", FindingPlace(DAY_MS, "flag-5")))
    ),
    Read("a finding", partial(findings.one, shop_id=SHOP, flag="flag-7"), filters=BY_KEY),
    *(
        Read(f"findings by {by}", partial(findings.sums, query=FOUND, by=by), filters=NOT_YET)
        for by in (None, *FindingBy)
    ),
    Read(
        "findings that nobody was told of",
        partial(findings.untold, now_ms=DAY_MS, since_ms=0, limit=51),
        filters="the index holds nothing else; the statement says it once more",
    ),
    Read(
        "what people made of findings",
        partial(findings.judgements, shop_id=SHOP, flags=["flag-1", "flag-2"]),
        filters=BY_KEY,
    ),
    *(
        Read(
            f"{title} behind a figure",
            partial(ask, query=STRETCH, after=after, limit=51),
            (f"/v1/monitor/{what}",),
            filters=JUDGED,
            sorts=TIES,
        )
        for what, ask in (("rounds", drill.rounds), ("sessions", drill.sessions))
        for title, after in ((what, None), (f"the next {what}", BEHIND))
    ),
    Read(
        "which boards have changed",
        partial(directly, ask=boards.revisions, since=DAY),
    ),
    Read("flags", partial(evidence.flags, shop_id=SHOP, after=None, limit=51), FLAGS),
    Read(
        "the next flags",
        partial(evidence.flags, shop_id=SHOP, after=Place(DAY_MS, "message-500"), limit=51),
        FLAGS,
    ),
    Read("incidents", partial(evidence.incidents, shop_id=SHOP, after=None, limit=51), INCIDENTS),
    Read(
        "the next incidents",
        partial(evidence.incidents, shop_id=SHOP, after=Place(DAY_MS, "incident-500"), limit=51),
        INCIDENTS,
    ),
    *(
        Read(
            f"{title} alerts {state}",
            partial(alerts.alerts, query=AlertsAsked(SHOP, 0, state), after=after, limit=51),
            ("/v1/monitor/alerts",),
            filters=TAKEN_CARE_OF,
            sorts=KINDS,
        )
        for state in (None, *AlertState)
        for title, after in (("the newest", None), ("the next", AlertPlace(DAY_MS, "message-5")))
    ),
    Read(
        "what an alert is about",
        partial(alerts.subject, shop_id=SHOP, alert_id="message-7", since_ms=DAY_MS),
        filters="a wait is looked for among a week's of its shop, a flag by its key",
    ),
    Read(
        "who took care of alerts",
        partial(alerts.acknowledged, shop_id=SHOP, alerts=["message-1", "message-2"]),
        filters=BY_KEY,
    ),
    Read(
        "what people made of alerts",
        partial(alerts.judgements, shop_id=SHOP, subjects=["message-1", "message-2"]),
        filters=BY_KEY,
    ),
    Read(
        "what was meant of incidents",
        partial(evidence.confirmations, shop_id=SHOP, incidents=["incident-1", "incident-2"]),
        INCIDENTS,
    ),
    *(
        Read(
            f"{title} of a channel",
            partial(channels.page, shop_id=SHOP, channel_id="channel-0", after=after, limit=51),
            ("/v1/monitor/channels/{channel_id}/deliveries",),
        )
        for title, after in (
            ("deliveries", None),
            ("the next deliveries", ChannelPlace(DAY_MS, "delivery-5")),
        )
    ),
    *(
        Read(
            f"{title} standing alerts {state}",
            partial(alerting.page, shop_id=SHOP, state=state, after=after, limit=51),
            ("/v1/monitor/standing-alerts",),
            filters=STANDING if state else "",
        )
        for state in (None, *StandingState)
        for title, after in (("the newest", None), ("the next", StandingPlace(DAY_MS, "alert-5")))
    ),
    Read(
        "the channels of a shop",
        partial(channels.channels, shop_id=SHOP),
        ("/v1/monitor/channels",),
    ),
    Read(
        "what a shop is not told now",
        partial(alerting.mutes, shop_id=SHOP, now_ms=DAY_MS),
        ("/v1/monitor/mutes",),
        sorts="mutes of one moment are put in order; a hundred at most hold",
    ),
    Read(
        "alerts that have been quiet",
        partial(alerting.quiet, now_ms=DAY_MS - 400 * 60_000, limit=500),
    ),
    Read(
        "who waits longest",
        partial(response.waits, shop_id=SHOP, limit=51),
        ("/v1/monitor/waiting",),
        filters=LIVE,
        sorts=LIVE,
    ),
    Read("the loads of a board", partial(response.loads, shop_id=SHOP, breach_before_ms=0)),
    Read("a day of a board", partial(boards.today, shop_id=SHOP, of=boards.Day(DAY, 0, 1))),
    Read(
        "what agents said wrong on it",
        partial(boards.wrongs, shop_id=SHOP, of=boards.Day(DAY, 0, 1)),
        filters="what buyers said wrong on that day, which is as little",
    ),
    Read("the minutes of a day", partial(curve.minutes, shop_id=SHOP, day=DAY)),
    Read(
        "the minutes of some days",
        partial(curve.days, shop_id=SHOP, start=DAY - timedelta(days=7), end=DAY),
    ),
    *(
        Read(f"what became of words by {by}", partial(reports.wording, query=SAID, by=by))
        for by in (None, *WordingBy)
    ),
    Read("since when a shop's buyers wait", partial(curve.still, shop_id=SHOP), filters=LIVE),
    Read(
        "what was settled before staff was read",
        partial(response.provisional, table="rounds", before_ms=DAY_MS, limit=51),
    ),
    Read("a shop's newest event", partial(traffic.as_of_ms, shop_id=SHOP)),
    Read(
        "traffic by day",
        partial(traffic.days, shop_id=SHOP, start=DAY - timedelta(days=7), end=DAY),
    ),
    *(
        Read(f"the oldest {aged.row.__tablename__}", partial(retention.oldest, aged=aged))
        for aged in AGED
    ),
    *(
        Read(
            f"a shop's old {aged.row.__tablename__}",
            partial(
                retention.delete_older,
                aged=aged,
                shop_id=SHOP,
                before=DAY if aged.at.key == "day" else DAY_MS,
                limit=100,
            ),
        )
        for aged in AGED
    ),
    Read(
        "old spans of wording rules",
        partial(retention.delete_spans, before=datetime(2026, 11, 11, tzinfo=UTC), limit=100),
        filters="a row per change of a shop's rules and partition: read whole, in the key's order",
    ),
    *audit_reads(AUDIT, "/v1/audit/monitor"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(infra: Infrastructure) -> AsyncIterator[Database]:
    """A thousand rows of each kind, a tenth of them of one shop, over a hundred days."""
    async with filled(infra, "monitor", *FILLS, AUDIT_FILL) as made:
        yield made


@pytest.mark.parametrize("read", READS, ids=lambda read: read.title)
async def test_an_index_spares_what_is_read(store: Database, read: Read) -> None:
    await assert_spared(store, read)


async def test_no_list_is_without_a_row_here() -> None:
    shown = app.build(Settings()).http

    rooms = (
        boards,
        curve,
        drill,
        evidence,
        facts,
        figures,
        findings,
        folds,
        recounts,
        reports,
        response,
        retention,
        traffic,
        waiting,
    )
    assert_all_are_there(READS, shown, *rooms)


_SHOP = "case n % 10 when 0 then 'plans' else 'other' end"

FILLS = (
    f"""
    insert into rounds select 1, 0, 'reading', n, {_SHOP}, 'c' || n, 'b', null, '2026-11-11', n,
        n + 9, n, 'answered', n, '{{}}', n, case when n % 50 <> 0 then false end,
        '{{reading}}', 2 from generate_series(1, 1000) n
    """,
    f"""
    insert into traffic select n % 10, {_SHOP} || n % 3, '2026-11-15'::date - n % 100, 1, 1, 1, 1,
        1, 1, 1 from generate_series(1, 1000) n on conflict do nothing
    """,
    f"""
    insert into waiting_minutes select n, {_SHOP}, n, '2026-11-15'::date - n % 100, 1, 1, 0
        from generate_series(1, 1000) n
    """,
    f"""
    insert into agents select 'agent-' || n, {_SHOP}, '', 'agent', 'online', now(), 1
        from generate_series(1, 1000) n
    """,
    f"""
    insert into incidents (incident_id, shop_id, conversation_id, agent_id, client_id, action,
        text, categories, hits, lexicon_version, policy_version, held_ms)
    select 'incident-' || n, {_SHOP}, '', '', '', '', '', '{{}}', '[]', '', '',
        {DAY_MS} + (n - 500) * 60000 from generate_series(1, 1000) n
    """,
    f"""
    insert into judgements select 'message-' || n, 'person-' || n % 5, {_SHOP}, '', 'handled', '',
        {DAY_MS} + (n - 500) * 60000 from generate_series(1, 1000) n
    """,
    f"""
    insert into alert_states select 'message-' || n, {_SHOP}, '', '', 'handled', '',
        {DAY_MS} + (n - 500) * 60000 from generate_series(1, 1000) n
    """,
    f"""
    insert into confirmations (message_id, incident_id, shop_id, conversation_id, agent_id, hits,
        lexicon_version, confirmed_ms)
    select 'message-' || n, 'incident-' || n, {_SHOP}, '', '', '[]', '',
        {DAY_MS} + (n - 500) * 60000 from generate_series(1, 1000) n
    """,
    f"""
    insert into reception select 'flag-' || n, 1, 0, n, 'silence', {_SHOP}, '', 'agent-' || n % 50,
        n, n, {DAY_MS} + (n - 500) * 60000, {DAY_MS} + (n - 500) * 60000, n % 100 = 1, 2, 1, 200,
        array[n], case when n % 20 = 0 then 0 else 2 end from generate_series(1, 1000) n
    """,
    f"""
    insert into flags (message_id, generation, partition, "offset", shop_id, conversation_id,
        sender_id, speaker, at_ms, categories, hits, lexicon_version, policy_version)
    select 'message-' || n, 1, 0, n, {_SHOP}, '', '', '', {DAY_MS} + (n - 500) * 60000, '{{}}',
        '[]', '', '' from generate_series(1, 1000) n
    """,
    f"""
    insert into conversations (conversation_id, generation, partition, shop_id, open, waiting_ms,
        unsettled, state)
    select 'conversation-' || n, 1, 0, {_SHOP}, n % 3 = 0, case when n % 7 = 0 then n end,
        n % 7 = 0, ''
        from generate_series(1, 1000) n
    """,
    f"""
    insert into sessions select 1, 0, '', n, {_SHOP}, '', '', '', '2026-11-11', {DAY_MS} +
        (n - 500) * 60000, 0, 0, 0, 0, '{{}}', n, case when n % 50 <> 0 then false end,
        '{{reading}}', 2 from generate_series(1, 1000) n
    """,
    f"""
    insert into counters select n, {_SHOP}, '', '2026-11-15'::date - n % 100, '', 0, 0, 0, 0, 0, 0,
        0, 0, 0 from generate_series(1, 1000) n
    """,
    f"""
    insert into firings (generation, partition, waiting_offset, threshold_s, profile, shop_id,
        conversation_id, due_ms, late_ms)
    select 1, 0, n, 20, '', {_SHOP}, '', {DAY_MS} + (n - 500) * 60000, 0
        from generate_series(1, 1000) n
    """,
    f"""
    insert into deliveries (id, shop_id, channel_id, step, level, rank, rule, content, state,
        attempt, unknown, created_ms)
    select 'delivery-' || n, {_SHOP}, 'channel-' || n % 20, 'opened', 'warn', 1, '', '{{}}', 'sent',
        1, false, {DAY_MS} + (n - 500) * 60000 from generate_series(1, 1000) n
    """,
    f"""
    insert into alerts (id, shop_id, rule, rule_version, title, source, object_id, level, state,
        count, stage, flapping, opened_ms, last_ms, told_ms, quiet_ms, resolved_ms)
    select 'alert-' || n, {_SHOP}, '', 0, '{{}}', 'waits', 'c' || n, 'warn',
        (array['open', 'acknowledged', 'resolved'])[1 + n % 3], 1, 0, false, moment, moment, moment,
        moment, case when n % 3 = 2 then moment end
    from generate_series(1, 1000) n,
        lateral (select {DAY_MS} + (n - 500) * cast(60000 as bigint)) as at (moment)
    """,
    f"""
    insert into channels (id, shop_id, name, kind, sealed, address, has_secret, levels, language,
        mentions, names, state, version, created_ms, changed_ms)
    select 'channel-' || n, {_SHOP}, '', '', '', '', true, '{{}}', '', '{{}}', false, 'on', 1, 0, 0
        from generate_series(1, 1000) n
    """,
    f"""
    insert into mutes select 'mute-' || n, {_SHOP}, '', null, {DAY_MS} + (n - 500) * 60000, '', '',
        '', 0 from generate_series(1, 1000) n
    """,
    f"""
    insert into wording_spans select 1, n % 10, {_SHOP}, n, '', '',
        '2026-11-11'::date + (n - 500) * interval '1 minute' from generate_series(1, 1000) n
    """,
)
