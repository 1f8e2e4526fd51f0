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


LABELS = (
    "SB-250有货", "2B铅笔有货", "2 B 铅笔", "Nike SB 板鞋", "型号SB", "SB有货的",
    "J8 2024款", "wbd-3有货",
)  # fmt: skip


@pytest.mark.parametrize("speaker", list(Speaker))
@pytest.mark.parametrize("text", LABELS)
def test_initials_of_goods_are_nothing(engine: Engine, text: str, speaker: Speaker) -> None:
    assert engine.check(text, speaker=speaker).hits == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("傻逼SB-250", {"SB", "傻逼"}),
        ("SB-250说你呢傻逼", {"SB", "傻逼"}),
        ("SB-250，这一款是有货的，傻逼", {"傻逼"}),
    ],
)
def test_initials_of_goods_count_where_abuse_is_written_out_near(
    engine: Engine, text: str, found: set[str]
) -> None:
    hits = engine.check(text, speaker=Speaker.AGENT).hits

    assert {hit.surface for hit in hits} == found


@pytest.mark.parametrize("text", ["真无聊", "什么福利", "吃午饭了", "你写的地址", "这样好吗逼真吗"])
def test_few_characters_are_not_told_by_their_shape(engine: Engine, text: str) -> None:
    assert engine.check(text, speaker=Speaker.AGENT).hits == ()
