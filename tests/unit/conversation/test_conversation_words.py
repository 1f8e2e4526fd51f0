"""What of a text is looked up, and what of it is shown."""

from datetime import UTC, datetime

import pytest

from kit.clock import ManualClock
from kit.errors import TooMany
from kit.web.auth import Principal
from services.conversation.search.domain import (
    BEFORE,
    SHOWN,
    excerpt,
    holds,
    keys_of,
    normalised,
)
from services.conversation.search.indexing import text_of
from services.conversation.search.limits import BURST, SearchLimits

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "looked_up"),
    [
        ("差价", {"差价"}),
        ("退差价吗？", {"退差", "差价", "价吗"}),
        ("好", set()),
        ("iPhone 15 有货", {"iphone", "15", "有货"}),
        ("订单Ｔ００４２发货", {"订单", "t0042", "发货"}),
        ("a b c", set()),
        ("%_%_%", set()),
        ("😀😀", set()),
        ("ｶﾞﾝ", {"ガン"}),
        ("x" * 100, {"x" * 64}),
    ],
)
def test_pairs_of_characters_and_other_words_whole(text: str, looked_up: set[str]) -> None:
    keys = keys_of("shop-1", text)

    assert len(set(keys)) == len(keys)
    assert set(keys) == {key for one in looked_up for key in keys_of("shop-1", one)}
    assert len(keys) == len(looked_up)


def test_no_key_of_a_shop_is_another_shops() -> None:
    one, other = keys_of("shop-1", "差价 退款"), keys_of("shop-2", "差价 退款")

    assert len({*one, *other}) == 4
    assert set(one) == set(keys_of("shop-1", "退款，差价"))
    assert all(-(2**63) <= key < 2**63 for key in one)


def test_pairs_alone_do_not_make_a_word() -> None:
    assert set(keys_of("shop", "价保护")) <= set(keys_of("shop", "价保，保护"))
    assert not holds("价保，保护", ["价保护"])
    assert holds("ＡＢ 价保护", ["ab", "价保护"])


def test_an_excerpt_is_one_line_around_what_was_found() -> None:
    assert excerpt("您好\n可以退差价", ["差价"]) == "您好 可以退差价"
    assert excerpt("您好，ＡＢＣ 有货", ["abc"]) == "您好，ＡＢＣ 有货", "as it was written"
    wide = excerpt("㍿" * (BEFORE + 9) + "差价", ["差价"])
    assert wide == f"…{'㍿' * BEFORE}差价", "compared as four letters, shown as one"
    long = excerpt("前" * 100 + "差价" + "后" * 200, ["差价"])
    assert long == "…" + "前" * 30 + "差价" + "后" * (SHOWN - 32) + "…"
    assert normalised(" Ａ\n b ") == "a b"


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ('{"sender_id":"p","kind":"text","d":{"text":"差价"}}', ("p", "差价")),
        ('{"author_id":"p","text":"差价","to":null}', ("p", "差价")),
        ('{"sender_id":"p","kind":"image","d":{"url":"差价"}}', ("p", "")),
        ('{"sender_id":"p","kind":"text","d":{"text":7}}', ("", "")),
        ("{", ("", "")),
    ],
)
def test_words_are_read_of_messages_and_of_notes(body: str, read: tuple[str, str]) -> None:
    assert text_of(body) == read


def test_a_person_who_looks_too_often_waits_and_others_do_not() -> None:
    clock = ManualClock()
    limits = SearchLimits(clock)
    one, other = _person("one"), _person("other")

    for _ in range(int(BURST)):
        limits.spend(one)
    with pytest.raises(TooMany) as refused:
        limits.spend(one)
    limits.spend(other)
    clock.advance(refused.value.retry_after or 0)

    limits.spend(one)


def _person(subject: str) -> Principal:
    now = datetime(2026, 11, 11, tzinfo=UTC)
    return Principal(subject, "agent", "shop", "", "", now, now)


@pytest.mark.parametrize(
    "text",
    [
        "您好，这款ABC-12有货吗？亲～",
        "单号 SF1234567890123，退“差价”……",
        "一个 字；二",
        "",
        "OK_ok 3C认证",
    ],
)
def test_an_ordinary_text_has_the_keys_of_one_that_is_normalised(text: str) -> None:
    unusual = f"{text} ²"  # one sign alone is no word, yet it makes the text be normalised

    assert set(keys_of("shop", text)) == set(keys_of("shop", unusual))
