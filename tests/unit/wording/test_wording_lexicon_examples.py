"""Every row of the shipped lexicon proves itself, and the whole has the size the trade needs."""

import pytest

from wording import ABUSE, Category, Engine, Speaker
from wording.folding import folding
from wording.lexicon import Entry, read_lexicon

pytestmark = pytest.mark.unit

ENTRIES = read_lexicon().entries
FEWEST_TERMS = 400
COMPLAINTS = (
    "垃圾快递", "垃圾产品，用两天就坏", "好坑", "太坑了", "你们坑消费者", "坑爹啊", "忽悠人",
    "就是骗人的吧", "真丢人", "坑死我了", "垃圾物流等了一周", "这系统垃圾系统", "我擦", "宰客",
)  # fmt: skip


def found(engine: Engine, text: str) -> set[str]:
    return {candidate.form.term_id for candidate in engine.findings(text)}


@pytest.mark.parametrize("category", list(Category))
def test_every_term_fires_in_its_positive_example(engine: Engine, category: Category) -> None:
    silent = [
        (entry.term.id, entry.yes)
        for entry in of(category)
        if entry.term.id not in found(engine, entry.yes)
    ]

    assert silent == []


@pytest.mark.parametrize("category", list(Category))
def test_no_term_fires_in_its_negative_example(engine: Engine, category: Category) -> None:
    loud = [
        (entry.term.id, entry.no)
        for entry in of(category)
        if entry.term.id in found(engine, entry.no)
    ]

    assert loud == []


def test_every_category_has_terms_and_the_lexicon_its_size() -> None:
    assert {entry.term.category for entry in ENTRIES} == set(Category)
    assert len(ENTRIES) >= FEWEST_TERMS


def test_every_spelling_survives_folding() -> None:
    """A sign that folding drops would leave a shorter, far too common term behind."""
    tables = folding()
    shortened = [
        text
        for entry in ENTRIES
        for text in entry.term.texts
        if len(tables.fold(text)) < len(text.replace(" ", ""))
    ]

    assert shortened == []


@pytest.mark.parametrize("text", COMPLAINTS)
def test_a_hard_word_about_goods_or_money_is_a_complaint(engine: Engine, text: str) -> None:
    found_in = {hit.category for hit in engine.check(text, speaker=Speaker.BUYER).hits}

    assert Category.ANGER in found_in
    assert not ABUSE & found_in


def of(category: Category) -> list[Entry]:
    return [entry for entry in ENTRIES if entry.term.category is category]
