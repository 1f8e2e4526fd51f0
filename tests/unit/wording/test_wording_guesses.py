"""What merely sounds or looks like abuse, or abbreviates it, is a guess: it never blocks alone."""

import pytest

from wording import ABUSE, Action, Category, Engine, Policy, Severity, Speaker, Term, TermId, Why

pytestmark = pytest.mark.unit

GUESSES = {
    "你这个箬之": Why.HOMOPHONE,
    "妄八单": Why.HOMOPHONE,
    "妄八dan": Why.HOMOPHONE,
    "你这个wbd": Why.INITIALS,
}
LISTED_INITIALS = ("你是sb吗", "cnm什么态度", "tmd退款")
CERTAIN = ("你就是个傻逼", "你shabi吧", "王×蛋", "水衮疋虫", "神 经 病")


@pytest.mark.parametrize("text", [*GUESSES, *LISTED_INITIALS])
@pytest.mark.parametrize("policy", [None, Policy(actions=dict.fromkeys(Category, Action.BLOCK))])
def test_a_guess_asks_an_agent_and_never_blocks(
    engine: Engine, text: str, policy: Policy | None
) -> None:
    verdict = engine.check(text, speaker=Speaker.AGENT, policy=policy)

    assert verdict.action is Action.CONFIRM
    assert {hit.severity for hit in verdict.hits} == {Severity.MEDIUM}


@pytest.mark.parametrize(("text", "why"), GUESSES.items())
def test_a_buyer_is_not_called_abusive_for_a_guess(engine: Engine, text: str, why: Why) -> None:
    of_agent = engine.check(text, speaker=Speaker.AGENT).hits
    of_buyer = engine.check(text, speaker=Speaker.BUYER).hits

    assert why in {hit.why for hit in of_agent}
    assert not ABUSE & {hit.category for hit in of_buyer}


@pytest.mark.parametrize("text", LISTED_INITIALS)
def test_a_listed_abbreviation_of_a_buyer_is_no_guess(engine: Engine, text: str) -> None:
    hits = engine.check(text, speaker=Speaker.BUYER).hits

    assert {(hit.category, hit.severity) for hit in hits} == {(Category.INSULT, Severity.MEDIUM)}


@pytest.mark.parametrize("text", CERTAIN)
def test_what_is_written_out_or_taken_apart_is_certain(engine: Engine, text: str) -> None:
    assert engine.check(text, speaker=Speaker.AGENT).action is Action.BLOCK


def test_a_guess_beside_a_certain_insult_changes_nothing(engine: Engine) -> None:
    assert engine.check("你这个箬之，傻逼", speaker=Speaker.AGENT).action is Action.BLOCK


def test_a_short_word_that_a_shop_adds_means_itself(engine: Engine) -> None:
    own = Term(TermId("shop.1"), ("vx",), Category.INSULT, Severity.HIGH)
    policy = Policy(extra_terms=(own,), version="own")

    assert engine.check("加vx", speaker=Speaker.AGENT, policy=policy).action is Action.BLOCK
