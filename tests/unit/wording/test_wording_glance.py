"""What is spared by a glance at the signs of a message would have found nothing in it."""

import random

import pytest

from wording.folding import TABLE_SIZE, folding
from wording.reading import Reading
from wording.rereading import may_be_reread, rereadings
from wording.softening import bare

pytestmark = pytest.mark.unit

FOLDING = folding()


def test_a_message_without_a_sign_reads_as_characters_alone() -> None:
    bare_ones = [
        char
        for char in map(chr, range(TABLE_SIZE))
        if not "\ud800" <= char <= "\udfff" and Reading(char, FOLDING).is_bare
    ]

    heard = "".join(Reading(char, FOLDING).heard for char in bare_ones)

    assert len(bare_ones) > 20_000
    assert not any(one.isascii() for one in heard)
    assert not any(map(may_be_reread, bare_ones))


@pytest.mark.parametrize("sign", ["3", "Ａ", "🥚", "\u202e", "*", "＋", "⭕", "\U00020000", "@"])
def test_a_reading_knows_where_its_first_sign_stands(sign: str) -> None:
    reading = Reading(f"您好，请问{sign}有货吗", FOLDING)

    assert not reading.is_bare
    assert reading.first_sign == 5


def test_a_second_reading_says_of_each_character_where_it_stood() -> None:
    (read,) = rereadings("你这个王8🥚，发货")

    assert read.text.startswith("你这个王八蛋，发货")
    assert list(read.places)[:9] == list(range(9))
    assert read.held(3, 6) == [4, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("亲不知道哦", "不知道"),
        ("不好意思亲没有的呢亲", "没有"),
        ("抱歉的", "的"),
        ("你好对不起呀", None),
        ("没有", None),
        ("亲亲", None),
    ],
)
def test_what_softens_a_short_answer_is_taken_off(text: str, said: str | None) -> None:
    span = bare(text)

    assert (span and text[slice(*span)]) == said


def test_a_quantity_is_read_as_no_word() -> None:
    rng = random.Random(62)
    for _ in range(200):
        text = f"这款{rng.choice('2345689')}{rng.choice(['天', '件', '个', '元'])}内发完"
        assert all(read.text.startswith("这款") for read in rereadings(text))
        assert not any("死" in read.text or "二" in read.text for read in rereadings(text))
