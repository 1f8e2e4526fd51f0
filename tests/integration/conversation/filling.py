"""Rows of conversation that its plans are asked about: a thousand each, a tenth of one shop."""

from typing import Final

FLOODED: Final = "00000000-0000-7000-8003-000000000090"
FLOOD: Final = 5_000
"""A conversation whose buyer has said so much that nobody answered."""


def _uuid(kind: int, number: str) -> str:
    return f"('00000000-0000-7000-800{kind}-' || lpad(({number})::text, 12, '0'))::uuid"


_SHOP = "case n % 10 when 0 then 'plans' else 'other' end"

FILLS: Final = (
    """
    insert into shops (id, name, time_zone) values ('plans', '', 'Asia/Shanghai'),
        ('other', '', 'Asia/Shanghai') on conflict do nothing
    """,
    f"""
    insert into staff (id, shop_id, login, password_hash, name, role, capacity, not_before, state)
    select {_uuid(2, "n")}, {_SHOP}, 'plans-' || n, '', '',
        (array['agent', 'clerk', 'supervisor'])[1 + n % 3], 10, now(),
        case when n % 50 = 0 then 'online' else 'offline' end from generate_series(1, 1000) n
    """,
    f"""
    insert into buyers (id, shop_id, name, phone, not_before)
    select {_uuid(8, "n")}, {_SHOP}, '买家' || n, '138' || lpad(n::text, 8, '0'), now()
        from generate_series(1, 1000) n
    """,
    f"""
    insert into conversations (id, shop_id, buyer_id, skill_group_id, state, stage, version,
        assignment_version, agent_id, waiting_since, announced, opened_at, priority, subject)
    select {_uuid(3, "n")}, {_SHOP},
        {_uuid(1, "case when n % 70 < 30 then n + 10000 else n % 100 end")}, {_uuid(4, "1")},
        case when n % 70 < 10 then 'queued' when n % 70 < 30 then 'assigned' else 'closed' end,
        'welcome', 1, 1, case when n % 70 between 10 and 29 then {_uuid(2, "n % 20")} end,
        case when n % 70 < 10 then now() end, true,
        '2026-11-11'::timestamptz + (n - 500) * interval '1 second', 0, ''
        from generate_series(1, 1000) n
    """,
    f"""
    insert into work_items (id, shop_id, kind, order_id, buyer_id, due_at, agent_id, version,
        settled, level, senior_id)
    select {_uuid(5, "n")}, {_SHOP}, 'verify_address', '', '', now(), {_uuid(2, "n % 20")}, 1,
        n % 2 = 0, n % 5, case when n % 3 = 0 then {_uuid(2, "n % 20 + 1")} end
        from generate_series(1, 1000) n
    """,
    f"""
    insert into phrases (id, shop_id, owner, place, title, words)
    select {_uuid(9, "n")}, {_SHOP}, case when n % 3 = 0 then 'shop' else {_uuid(2, "n % 20")}::text
        end, n, '', '' from generate_series(1, 1000) n
    """,
    f"""
    insert into phrase_lists (shop_id, owner, version, changed_at)
    select {_SHOP}, {_uuid(2, "n")}::text, 1, now() from generate_series(1, 1000) n
    """,
    f"""
    insert into images (id, shop_id, conversation_id, uploader_id, media_type, sha256, content,
        named, made_at)
    select {_uuid(9, "n")}, {_SHOP}, {_uuid(3, "n % 20")}, '', '', '', '', n % 50 <> 0,
        timestamptz '2026-11-11' + n * interval '1 minute' from generate_series(1, 1000) n
    """,
    f"""
    insert into decisions (id, shop_id, subject_kind, subject_id, at, trigger, reason, candidates)
    select {_uuid(6, "n")}, {_SHOP}, 'conversation', {_uuid(3, "n % 100")}, now(), '', '', '[]'
        from generate_series(1, 1000) n
    """,
    f"""
    insert into messages (message_id, conversation_id, generation, partition, log_offset, type,
        time, body)
    select {_uuid(7, "n")}, {_uuid(3, "n % 20")}, 1, 0, n, 'chat.message.v1', now(), '{{}}'
        from generate_series(1, 1000) n
    """,
    f"""
    insert into messages (message_id, conversation_id, generation, partition, log_offset, type,
        time, sender_kind, body)
    select {_uuid(8, "n")}, '{FLOODED}', 1, 0, 2000 + n, 'chat.message.v1', '2026-11-11', 'buyer',
        '{{}}' from generate_series(1, {FLOOD}) n
    """,
)
