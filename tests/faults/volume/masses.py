"""The rows that fill the tables: as lines of COPY, so many for each conversation.

Everything here is older, or stands lower in the order of its list, than the thousand rows of the
plan tests, which both databases hold: a list's answer is the same among many rows as among few. A
tenth belongs to the shop that is asked about, and what is at work belongs to others.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

MESSAGES: Final = 10
"""Messages of a conversation."""

LIVE: Final = 20
"""One conversation of so many is assigned, ten to an agent."""

TOGETHER: Final = 1000
"""So many conversations go on at once: their messages lie between one another."""

SHOPS: Final = 97
"""Shops beside the one that is asked about."""

PARTITIONS: Final = 48
DAYS: Final = 90
LINES: Final = 5000
"""Rows that are handed to COPY at once."""

_BEGIN: Final = datetime(2026, 8, 1, tzinfo=UTC)
_BEGIN_MS: Final = int(_BEGIN.timestamp() * 1000)
_DAY_NAMES: Final = [str((_BEGIN + timedelta(days=n)).date()) for n in range(DAYS)]
_SAID: Final = (
    '{"shop_id":"plans","conversation_id":"","sender_id":"","sender_kind":"buyer",'
    '"client_id":"01J","kind":"text","d":{"text":"亲，双十一的优惠券还能和满减一起用吗？我昨天下单的'
    '那件大衣还没有发货，能帮我看一下什么时候可以发出来吗，地址想换成公司的"},"body_hash":""}'
)


@dataclass(frozen=True, slots=True)
class Mass:
    """What fills one table: `each` rows for a conversation, `line` makes the one of a number."""

    table: str
    columns: str
    each: float
    line: Callable[[int], str]

    def rows(self, conversations: int) -> int:
        """Return how many rows there are for so many conversations."""
        return int(conversations * self.each)

    def lines(self, conversations: int) -> Iterator[bytes]:
        """Yield them as text for COPY."""
        rows, line = self.rows(conversations), self.line
        for first in range(0, rows, LINES):
            yield "".join(map(line, range(first, min(first + LINES, rows)))).encode()


def conversation_id(number: int) -> str:
    """Return the id of a conversation; ids rise with time, as real ones do."""
    return f"00000000-0000-6000-8003-{number:012d}"


def shop_of(number: int) -> str:
    """Return whose a row is."""
    return "plans" if number % 10 == 0 else f"shop-{number % SHOPS}"


def live(conversations: int) -> range:
    """Return the numbers of the conversations that somebody has."""
    return range(LIVE - 1, conversations, LIVE)


def _moment(number: int) -> str:
    """Return a moment that rises with the number, a day for every so many, before November."""
    seconds = number * 7 % 86_400
    hours, rest = divmod(seconds, 3600)
    return f"{_DAY_NAMES[number // 12_000 % DAYS]} {hours:02d}:{rest // 60:02d}:{rest % 60:02d}+00"


def _moment_ms(number: int) -> int:
    return _BEGIN_MS + number * 7


def _staff_id(number: int) -> str:
    return f"00000000-0000-6000-8002-{number:012d}"


def _buyer_id(number: int) -> str:
    return f"00000000-0000-6000-8001-{number:012d}"


def _conversation(n: int) -> str:
    opened = _moment(n)
    if n % LIVE == LIVE - 1:
        # Nobody has two open ones in a shop.
        agent, buyer = _staff_id(n // LIVE // 10), _buyer_id(1_000_000_000 + n)
        owned = f"assigned\tbargain\t2\t2\t{agent}\t{opened}\t\\N"
    else:
        buyer = _buyer_id(n // 3)
        owned = f"closed\tship\t4\t2\t\\N\t\\N\t{opened}"
    return (
        f"{conversation_id(n)}\t{shop_of(n)}\t{buyer}\t{_staff_id(0)}\t{owned}\tt\t{opened}\t0\t\n"
    )


def _message() -> Callable[[int], str]:
    """Return what makes a message; its id is one that a client made, so it lies anywhere."""
    draw = random.Random(11).getrandbits
    block = TOGETHER * MESSAGES

    def line(n: int) -> str:
        of = n // block * TOGETHER + n % TOGETHER
        kind = "agent" if n // TOGETHER % 2 else "buyer"
        return (
            f"{draw(128):032x}\t{conversation_id(of)}\t1\t{of % PARTITIONS}\t{n}"
            f"\tchat.message.v1\t{_moment(of)}\t{kind}\t{draw(256):064x}\t{_SAID}\n"
        )

    return line


def _staff(n: int) -> str:
    # Numbers that are multiples of ten would be of the shop that is asked about.
    return f"{_staff_id(n)}\tshop-{n % SHOPS}\tmass-{n}\t\t\tagent\t10\t{_moment(0)}\tonline\n"


def _decision(n: int) -> str:
    seen = f'[{{"agent_id":"{_staff_id(n % 50)}","state":"online","load":3,"capacity":10}}]'
    return (
        f"00000000-0000-6000-8006-{n:012d}\t{shop_of(n)}\tconversation\t{conversation_id(n)}"
        f"\t{_moment(n)}\topened\tleast_loaded\t{seen}\n"
    )


def _routed_work(n: int) -> str:
    return (
        f"00000000-0000-6000-8005-{n:012d}\t{shop_of(n)}\tverify_address\t\t\t{_moment(n)}\t3\tt\n"
    )


def _audited(n: int) -> str:
    return (
        f"00000000-0000-6000-8000-{n:012d}\t{_moment(n)}\t{shop_of(n)}\tclerk-{n % 5000}\tagent"
        f"\t{shop_of(n)}\taction-{n // 10 % 5}\tthing-{n}\n"
    )


def _order(n: int) -> str:
    state = ("placed", "paid", "released", "printed", "closed")[n // 10 % 5]
    return (
        f"m-{n:09d}\t{shop_of(n)}\text-m-{n}\tbuyer-m-{n // 3}\t王小明\t王小明\t13800000000"
        f'\t浙江省杭州市余杭区文一西路 969 号\t[{{"sku": "大衣", "count": 1}}]\t19900\tCNY\t{state}'
        f"\t3\t\t{_moment(n)}\n"
    )


def _payment(n: int) -> str:
    return f"m-{n:09d}\t{shop_of(n)}\tbuyer-m-{n // 3}\text-m-{n}\t19900\tCNY\t{_moment(n)}\n"


def _case(n: int) -> str:
    state = ("requested", "reviewed", "refunded", "rejected", "closed")[n // 10 % 5]
    return (
        f"b-case-{n:09d}\t{shop_of(n)}\tm-{n:09d}\tbuyer-m-{n // 3}\trefund\t{state}\t2\t9900\tCNY"
        f"\t尺码不合适\tbuyer\t{_moment(n)}\t{_moment(n)}\n"
    )


def _work(n: int) -> str:
    state = ("open", "settled")[n // 10 % 2]
    return (
        f"b-work-{n:09d}\t{shop_of(n)}\tm-{n:09d}\tbuyer-m-{n // 3}\tverify_address\t1\t{state}"
        f"\tagent-m-{n % 5000}\t{_moment(n)}\t{_moment(n)}\n"
    )


def _counter(n: int) -> str:
    # As dense as a day of a hundred agents is: of one far above the average the planner thinks
    # that it has few rows, and sorts them to add them up.
    of_day = n // (PARTITIONS * 100)
    return (
        f"{n % PARTITIONS}\t{shop_of(of_day % 10)}\ttaobao_2022\t{_DAY_NAMES[of_day // 10 % DAYS]}"
        f"\tagent-m-{n // PARTITIONS % 100}\t12\t240000\t1\t11\t0\t4\t4\t48000\t3\n"
    )


def _traffic(n: int) -> str:
    of_day = n // PARTITIONS
    shop = of_day // DAYS
    name = f"shop-{shop}" if shop else "plans"
    return (
        f"{n % PARTITIONS}\t{name}\t{_DAY_NAMES[of_day % DAYS]}\t100\t100\t5\t1\t1"
        f"\t{_moment_ms(n)}\t{n}\n"
    )


def _flag(n: int) -> str:
    return (
        f"a-{n:09d}\t1\t{n % PARTITIONS}\t{n}\t{shop_of(n)}\t{conversation_id(n)}\tagent-m-1"
        f"\tagent\t{_moment_ms(n)}\t{{insult}}\t[]\t1\t1\n"
    )


def _incident(n: int) -> str:
    return (
        f"a-{n:09d}\t{shop_of(n)}\t{conversation_id(n)}\tagent-m-1\t01J\tblock\t你烦不烦"
        f"\t{{insult}}\t[]\t1\t1\t{_moment_ms(n)}\n"
    )


def _state(n: int) -> str:
    # Every other one is of a conversation that goes on, none of the shop that is asked about.
    is_live = n % 2 == 1
    shop = f"shop-{n % SHOPS}" if is_live else shop_of(n)
    owner = f"agent-m-{n // 20}" if is_live else "\\N"
    return (
        f"m-{n:09d}\t1\t{n % PARTITIONS}\t{shop}\t{'t' if is_live else 'f'}\t{owner}\t\\N"
        f"\tf\t{'0' * 300}\n"
    )


def _round(n: int) -> str:
    return (
        f"1\t{n % PARTITIONS}\thuman\t{10**6 + n}\t{shop_of(n)}\t{conversation_id(n)}\tbuyer"
        f"\tagent-m-{n % 5000}\t{_DAY_NAMES[n % DAYS]}\t{_moment_ms(n)}\t{_moment_ms(n) + 20000}"
        f'\t{_moment_ms(n)}\tanswered\t{n}\t{{"taobao_2022": [1, 20000, 0, 1, 0]}}\t{{human}}\t2\n'
    )


def _session(n: int) -> str:
    return (
        f"1\t{n % PARTITIONS}\thuman\t{10**6 + n}\t{shop_of(n)}\t{conversation_id(n)}\tbuyer"
        f"\tagent-m-{n % 5000}\t{_DAY_NAMES[n % DAYS]}\t{_moment_ms(n)}\t{_moment_ms(n)}"
        f'\t{n}\t{{"taobao_2022": [1, 1, 9000, 1]}}\t{{human}}\t2\n'
    )


def _firing(n: int) -> str:
    return (
        f"1\t{n % PARTITIONS}\t{10**6 + n}\t20\ttaobao_2022\t{shop_of(n)}\t{conversation_id(n)}"
        f"\t{_moment_ms(n)}\t40\n"
    )


def _seat(n: int) -> str:
    return f"agent-m-{n}\tshop-{n % SHOPS}\t小苏\tagent\tonline\t{_moment(0)}\t1\n"


_AUDIT: Final = "id at shop_id actor_id actor_role actor_shop_id action object_id"

MASSES: Final = (
    Mass(
        "conversation.conversations",
        "id shop_id buyer_id skill_group_id state stage version assignment_version agent_id"
        " assigned_at closed_at announced opened_at priority subject",
        1,
        _conversation,
    ),
    Mass(
        "conversation.messages",
        "message_id conversation_id generation partition log_offset type time sender_kind"
        " body_hash body",
        MESSAGES,
        _message(),
    ),
    Mass(
        "conversation.staff",
        "id shop_id login password_hash name role capacity not_before state",
        1 / 200,
        _staff,
    ),
    Mass(
        "conversation.decisions",
        "id shop_id subject_kind subject_id at trigger reason candidates",
        1,
        _decision,
    ),
    Mass(
        "conversation.work_items",
        "id shop_id kind order_id buyer_id due_at version settled",
        1 / 10,
        _routed_work,
    ),
    Mass("conversation.audit", _AUDIT, 1 / 2, _audited),
    Mass(
        "orders.orders",
        "id shop_id external_id buyer_id buyer_name recipient_name recipient_phone"
        " recipient_address lines total_fen currency state version facts_hash placed_at",
        1,
        _order,
    ),
    Mass("orders.audit", _AUDIT, 1 / 2, _audited),
    Mass(
        "aftersales.payments",
        "order_id shop_id buyer_id external_id paid_fen currency paid_at",
        1,
        _payment,
    ),
    Mass(
        "aftersales.cases",
        "id shop_id order_id buyer_id kind state version amount_fen currency buyer_reason"
        " opened_by opened_at updated_at",
        1 / 2,
        _case,
    ),
    Mass(
        "aftersales.work_items",
        "id shop_id order_id buyer_id kind attempt state agent_id due_at opened_at",
        1 / 2,
        _work,
    ),
    Mass("aftersales.audit", _AUDIT, 1 / 2, _audited),
    Mass(
        "monitor.counters",
        "partition shop_id profile day agent_id rounds round_ms unanswered within slow sessions"
        " first_responses first_response_ms first_within",
        1,
        _counter,
    ),
    Mass(
        "monitor.traffic",
        "partition shop_id day buyer_messages agent_messages other_messages flags_agent"
        " flags_buyer as_of_ms revision",
        1 / 4,
        _traffic,
    ),
    Mass(
        "monitor.flags",
        "message_id generation partition offset shop_id conversation_id sender_id speaker at_ms"
        " categories hits lexicon_version policy_version",
        1 / 10,
        _flag,
    ),
    Mass(
        "monitor.incidents",
        "incident_id shop_id conversation_id agent_id client_id action text categories hits"
        " lexicon_version policy_version held_ms",
        1 / 10,
        _incident,
    ),
    Mass(
        "monitor.conversations",
        "conversation_id generation partition shop_id open owner waiting_ms unsettled state",
        1 / 10,
        _state,
    ),
    Mass(
        "monitor.rounds",
        "generation partition reading opened_offset shop_id conversation_id buyer_id agent_id day"
        " opened_ms closed_ms waiting_since_ms outcome born_offset judged readings rules",
        1,
        _round,
    ),
    Mass(
        "monitor.sessions",
        "generation partition reading started_offset shop_id conversation_id buyer_id agent_id day"
        " started_ms to_human_ms born_offset judged readings rules",
        1,
        _session,
    ),
    Mass(
        "monitor.firings",
        "generation partition waiting_offset threshold_s profile shop_id conversation_id due_ms"
        " late_ms",
        1 / 10,
        _firing,
    ),
    Mass("monitor.agents", "agent_id shop_id name role state since version", 1 / 200, _seat),
)
