"""The statements by which a batch is stored: one array per column, one round trip per table.

Knows columns only. `unnest` because a VALUES list stops at 32,767 parameters.
"""

from typing import Final

from sqlalchemy import text

WATERMARK: Final = text("select watermark_ms from partitions where partition = :partition")
STATES: Final = text(
    "select state from conversations where generation = :generation and partition = :partition"
)
MARK: Final = text(
    """
    insert into partitions (partition, watermark_ms, caught_up_ms)
    select *, 0 from unnest(cast(:partitions as integer[]), cast(:watermarks as bigint[]))
    on conflict (partition) do update set watermark_ms = excluded.watermark_ms
    """
)
CAUGHT_UP: Final = text(
    """
    insert into partitions (partition, watermark_ms, caught_up_ms)
    select p, 0, m
    from unnest(cast(:partitions as integer[]), cast(:moments as bigint[])) as u(p, m)
    order by p
    on conflict (partition) do update set caught_up_ms = excluded.caught_up_ms
    """
)
FORGET: Final = text(
    "delete from conversations where partition = :partition"
    " and conversation_id = any(cast(:names as text[]))"
)
CONVERSATIONS: Final = text(
    """
    insert into conversations (generation, conversation_id, partition, shop_id, open, owner,
        waiting_ms, oldest_round_ms, forget_ms, state)
    select cast(:generation as smallint), * from unnest(
        cast(:names as text[]), cast(:partitions as integer[]), cast(:shops as text[]),
        cast(:opens as boolean[]), cast(:owners as text[]), cast(:waits as bigint[]),
        cast(:oldest as bigint[]), cast(:forgets as bigint[]), cast(:states as bytea[]))
    on conflict (conversation_id) do update set
        generation = excluded.generation, partition = excluded.partition,
        open = excluded.open, owner = excluded.owner, waiting_ms = excluded.waiting_ms,
        oldest_round_ms = excluded.oldest_round_ms, forget_ms = excluded.forget_ms,
        state = excluded.state
    """
)
ROUNDS: Final = text(
    """
    insert into rounds (generation, partition, reading, opened_offset, shop_id, conversation_id,
        buyer_id, agent_id, day, opened_ms, closed_ms, waiting_since_ms, outcome, born_offset,
        judged)
    select cast(:generation as smallint), * from unnest(
        cast(:partitions as integer[]), cast(:readings as text[]), cast(:offsets as bigint[]),
        cast(:shops as text[]), cast(:conversations as text[]), cast(:buyers as text[]),
        cast(:agents as text[]), cast(:days as date[]), cast(:opened as bigint[]),
        cast(:closed as bigint[]), cast(:waits as bigint[]), cast(:outcomes as text[]),
        cast(:born as bigint[]), cast(:judged as jsonb[]))
    """
)
SESSIONS: Final = text(
    """
    insert into sessions (generation, partition, reading, started_offset, shop_id,
        conversation_id, buyer_id, agent_id, day, started_ms, to_human_ms, assigned_ms,
        replied_ms, born_offset, judged)
    select cast(:generation as smallint), * from unnest(
        cast(:partitions as integer[]), cast(:readings as text[]), cast(:offsets as bigint[]),
        cast(:shops as text[]), cast(:conversations as text[]), cast(:buyers as text[]),
        cast(:agents as text[]), cast(:days as date[]), cast(:started as bigint[]),
        cast(:to_human as bigint[]), cast(:assigned as bigint[]), cast(:replied as bigint[]),
        cast(:born as bigint[]), cast(:judged as jsonb[]))
    """
)
COUNTERS: Final = text(
    """
    insert into counters (partition, shop_id, profile, day, agent_id, rounds, round_ms,
        unanswered, within, slow, sessions, first_responses, first_response_ms, first_within)
    select * from unnest(
        cast(:partitions as integer[]), cast(:shops as text[]), cast(:profiles as text[]),
        cast(:days as date[]), cast(:agents as text[]), cast(:rounds as bigint[]),
        cast(:round_ms as bigint[]), cast(:unanswered as bigint[]), cast(:within as bigint[]),
        cast(:slow as bigint[]), cast(:sessions as bigint[]),
        cast(:first_responses as bigint[]), cast(:first_response_ms as bigint[]),
        cast(:first_within as bigint[]))
    on conflict (partition, shop_id, profile, day, agent_id) do update set
        rounds = counters.rounds + excluded.rounds,
        round_ms = counters.round_ms + excluded.round_ms,
        unanswered = counters.unanswered + excluded.unanswered,
        within = counters.within + excluded.within,
        slow = counters.slow + excluded.slow,
        sessions = counters.sessions + excluded.sessions,
        first_responses = counters.first_responses + excluded.first_responses,
        first_response_ms = counters.first_response_ms + excluded.first_response_ms,
        first_within = counters.first_within + excluded.first_within
    """
)
TRAFFIC: Final = text(
    """
    insert into traffic (partition, shop_id, day, buyer_messages, agent_messages, other_messages,
        flags_agent, flags_buyer, as_of_ms, revision)
    select * from unnest(
        cast(:partitions as integer[]), cast(:shops as text[]), cast(:days as date[]),
        cast(:buyer_messages as bigint[]), cast(:agent_messages as bigint[]),
        cast(:other_messages as bigint[]), cast(:flags_agent as bigint[]),
        cast(:flags_buyer as bigint[]), cast(:as_of as bigint[]), cast(:revisions as bigint[]))
    on conflict (partition, shop_id, day) do update set
        buyer_messages = traffic.buyer_messages + excluded.buyer_messages,
        agent_messages = traffic.agent_messages + excluded.agent_messages,
        other_messages = traffic.other_messages + excluded.other_messages,
        flags_agent = traffic.flags_agent + excluded.flags_agent,
        flags_buyer = traffic.flags_buyer + excluded.flags_buyer,
        as_of_ms = greatest(traffic.as_of_ms, excluded.as_of_ms),
        revision = excluded.revision
    """
)
FLAGS: Final = text(
    """
    insert into flags (message_id, generation, partition, "offset", shop_id, conversation_id,
        sender_id, speaker, at_ms, categories, hits, lexicon_version, policy_version)
    select m, cast(:generation as smallint), p, o, s, c, sender, speaker, at_ms,
        array(select jsonb_array_elements_text(categories)), hits, lexicon, policy
    from unnest(
        cast(:messages as text[]), cast(:partitions as integer[]), cast(:offsets as bigint[]),
        cast(:shops as text[]), cast(:conversations as text[]), cast(:senders as text[]),
        cast(:speakers as text[]), cast(:moments as bigint[]), cast(:categories as jsonb[]),
        cast(:hits as jsonb[]), cast(:lexicons as text[]), cast(:policies as text[]))
        as f(m, p, o, s, c, sender, speaker, at_ms, categories, hits, lexicon, policy)
    on conflict (message_id) do nothing
    """
)
SPANS: Final = text(
    """
    insert into wording_spans (generation, partition, shop_id, first_offset, lexicon_version,
        policy_version)
    select cast(:generation as smallint), * from unnest(
        cast(:partitions as integer[]), cast(:shops as text[]), cast(:offsets as bigint[]),
        cast(:lexicons as text[]), cast(:policies as text[]))
    """
)
LAST_SPANS: Final = text(
    """
    select distinct on (shop_id) shop_id, lexicon_version, policy_version from wording_spans
    where generation = :generation and partition = :partition
    order by shop_id, first_offset desc
    """
)
