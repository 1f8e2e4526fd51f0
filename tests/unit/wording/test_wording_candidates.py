"""What is worth a second look: most messages end at the first, and none that counts does."""

import pytest

from wording import Category, Speaker
from wording.folding import folding
from wording.forms import Speller
from wording.matching import Matcher
from wording.model import Flag, Term, TermId
from wording.reading import Reading

pytestmark = pytest.mark.unit

FOLDING = folding()
TERMS = (
    Term(
        TermId("shirking.problem"),
        ("问题",),
        Category.SHIRKING,
        needs=(("不归我", "您自己"), ("客服", "我们")),
    ),
    Term(TermId("insult.kin"), ("你妈的",), Category.INSULT, flags=frozenset({Flag.MASK})),
)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    speller = Speller(FOLDING, {}, {})
    return Matcher([form for term in TERMS for form in speller.forms(term)])


@pytest.mark.parametrize(
    "text",
    [
        "这个问题马上帮您处理",
        "这个问题不归我",
        "这个问题你自己问客服",
        "谢谢您的支持～祝您购物愉快",
        "您的订单，已经发出",
        "你的、您的，都在路上",
    ],
)
def test_what_cannot_count_is_no_candidate(matcher: Matcher, text: str) -> None:
    assert matcher.candidates(Reading(text, FOLDING), Speaker.AGENT) == []


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("这问题不归我们客服管", "shirking.problem"),
        ("问题您自己找客服", "shirking.problem"),
        ("您*的", "insult.kin"),
        ("您的货到了，你*的", "insult.kin"),
    ],
)
def test_what_may_count_is_one(matcher: Matcher, text: str, term: str) -> None:
    found = matcher.candidates(Reading(text, FOLDING), Speaker.AGENT)

    assert {one.form.term_id for one in found} == {term}
