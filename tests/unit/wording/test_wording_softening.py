"""Particles and politeness make an agent's tone milder and do not excuse it; 您 counts as 你."""

import pytest

from wording import Action, Category, Engine, Flag, Severity, Speaker, Term, TermId
from wording.lexicon import Entry, Lexicon

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def own() -> Engine:
    """Return an engine of few words, whose excuses are known."""
    gap = frozenset({Flag.GAP})
    terms = (
        Term(TermId("cold.a"), ("爱买不买",), Category.COLD, flags=gap),
        Term(TermId("cold.b"), ("没有",), Category.COLD, flags=frozenset({Flag.WHOLE})),
        Term(TermId("threat.a"), ("你试试",), Category.THREAT, flags=gap, unless=("请您",)),
        Term(TermId("insult.a"), ("你妹",), Category.INSULT, Severity.HIGH, flags=gap),
        Term(TermId("shirking.a"), ("你找快递",), Category.SHIRKING, unless=("帮您", "为您")),
        Term(TermId("off.a"), ("加你微信",), Category.OFF_PLATFORM, flags=gap),
    )
    return Engine(Lexicon(entries=tuple(Entry(term, "", "") for term in terms)))


def found(engine: Engine, text: str) -> list[tuple[str, Severity]]:
    hits = engine.check(text, speaker=Speaker.AGENT).hits
    return [(hit.term_id, hit.severity) for hit in hits]


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("爱买不买", Severity.MEDIUM),
        ("爱买不买，我们店就是这样", Severity.MEDIUM),
        ("亲，爱买不买", Severity.LOW),
        ("爱买不买哦", Severity.LOW),
        ("不好意思，爱买不买", Severity.LOW),
        ("您爱买不买", Severity.LOW),
        ("爱买不买，" + "我们店一直以来都是这样做生意的，亲", Severity.MEDIUM),
    ],
)
def test_what_softens_makes_tone_milder_and_not_silent(
    own: Engine, text: str, severity: Severity
) -> None:
    assert found(own, text) == [("cold.a", severity)]
    assert own.check(text, speaker=Speaker.AGENT).action is Action.WARN


@pytest.mark.parametrize("text", ["没有哦", "亲，没有呢", "没有的哦亲", "抱歉没有", "没有哈"])
def test_a_curt_answer_with_a_particle_is_one_still(own: Engine, text: str) -> None:
    assert found(own, text) == [("cold.b", Severity.LOW)]


@pytest.mark.parametrize("text", ["没有问题哦", "亲，没有货的话您联系我", "哦", "", "不好意思哦"])
def test_a_softened_sentence_is_no_curt_answer(own: Engine, text: str) -> None:
    assert found(own, text) == []


def test_a_softened_offer_is_as_bad(own: Engine) -> None:
    assert found(own, "亲，加您微信哦") == [("off.a", Severity.MEDIUM)]


def test_who_is_called_respectfully_is_meant_as_well(own: Engine) -> None:
    (hit,) = own.check("有本事您试试", speaker=Speaker.AGENT).hits

    assert (hit.surface, hit.normalised) == ("您试试", "你试试")


def test_an_excuse_written_respectfully_is_looked_for_as_written(own: Engine) -> None:
    assert found(own, "请您，你试试") == []
    assert found(own, "请你，你试试") == [("threat.a", Severity.MEDIUM)]


def test_respect_before_a_gap_hides_no_insult(own: Engine) -> None:
    assert found(own, "谢谢您~ 妹子慢走") == []
    assert found(own, "你~ 妹") == [("insult.a", Severity.HIGH)]


def test_an_excuse_may_end_with_the_word_that_a_finding_begins_with(own: Engine) -> None:
    assert found(own, "我帮您找快递") == []
    assert found(own, "您找快递") == [("shirking.a", Severity.MEDIUM)]
