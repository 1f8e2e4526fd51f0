"""Verdicts: what speaker, severity, policy, context and a shop's own words make of a hit."""

import pytest

from wording import Action, Category, Engine, Flag, Policy, Severity, Speaker, Term, TermId
from wording.engine import MAX_HITS, MAX_POLICIES
from wording.lexicon import Lexicon

pytestmark = pytest.mark.unit


def agent(engine: Engine, text: str, policy: Policy | None = None) -> Action:
    return engine.check(text, speaker=Speaker.AGENT, policy=policy).action


def test_actions_are_ordered() -> None:
    assert [action.rank for action in Action] == [0, 1, 2, 3, 4]


def test_a_heavy_insult_by_an_agent_is_blocked(engine: Engine) -> None:
    assert agent(engine, "你就是个傻逼") is Action.BLOCK


def test_a_lighter_one_wants_confirmation(engine: Engine) -> None:
    assert agent(engine, "你们就是骗子") is Action.CONFIRM


def test_a_buyer_is_never_stopped(engine: Engine) -> None:
    verdict = engine.check("你就是个傻逼，我要投诉！！！", speaker=Speaker.BUYER)

    assert verdict.action is Action.LOG
    assert {hit.category for hit in verdict.hits} >= {Category.INSULT, Category.ANGER}
    assert {hit.action for hit in verdict.hits} == {Action.LOG}


def test_an_innocent_message_is_allowed_without_hits(engine: Engine) -> None:
    verdict = engine.check("亲，今天下午就给您发出哦", speaker=Speaker.AGENT)

    assert (verdict.action, verdict.hits) == (Action.ALLOW, ())
    assert verdict.lexicon_version == engine.lexicon_version


@pytest.mark.parametrize("text", ["😡你是 王💩八🐶蛋 吧", "①②王\u200b八\u00ad蛋", "𠮷王八蛋"])
def test_a_hit_points_into_the_original_text(engine: Engine, text: str) -> None:
    (hit,) = engine.check(text, speaker=Speaker.AGENT).hits

    assert text[hit.start : hit.end] == hit.surface
    assert (hit.surface[0], hit.surface[-1]) == ("王", "蛋")
    assert hit.normalised == "王八蛋"


def test_the_strictest_hit_decides(engine: Engine) -> None:
    assert agent(engine, "保证正品，爱买不买，你个混蛋") is Action.BLOCK


def test_quotation_lowers_severity_by_a_step(engine: Engine) -> None:
    assert agent(engine, "您刚才说“傻逼”，请文明用语") is Action.CONFIRM


def test_negation_takes_back_a_promise_but_not_a_swear_word(engine: Engine) -> None:
    assert agent(engine, "物流的事我们不能保证明天到") is Action.ALLOW
    assert agent(engine, "我没说你是傻逼") is Action.BLOCK


def test_a_curt_word_counts_only_as_the_whole_message(engine: Engine) -> None:
    assert agent(engine, "没有。") is Action.WARN
    assert agent(engine, "没有问题的") is Action.ALLOW


def test_a_product_of_the_shop_is_not_an_insult(engine: Engine) -> None:
    text = "王八蛋牌T恤还有货的"

    assert agent(engine, text) is Action.BLOCK
    verdict = engine.check(text, speaker=Speaker.AGENT, product_names=["王八蛋牌T恤"])
    assert verdict.action is Action.ALLOW


def test_a_shop_sets_the_action_of_a_category(engine: Engine) -> None:
    policy = Policy(actions={Category.OFF_PLATFORM: Action.BLOCK}, version="strict")

    assert agent(engine, "加我微信聊") is Action.CONFIRM
    assert agent(engine, "加我微信聊", policy) is Action.BLOCK
    assert agent(engine, "你个王八蛋", policy) is Action.BLOCK


def test_a_shop_adds_terms_and_allow_spans(engine: Engine) -> None:
    rival = Term(
        TermId("shop.rival"), ("隔壁老王家",), Category.COMMAND, flags=frozenset({Flag.GAP})
    )
    policy = Policy(extra_terms=(rival,), allow_spans=("骗子酒馆",), version="7")

    hits = engine.check("隔壁·老王家更贵", speaker=Speaker.AGENT, policy=policy).hits
    assert [hit.term_id for hit in hits] == ["shop.rival"]
    assert agent(engine, "骗子酒馆桌游有货", policy) is Action.ALLOW


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ("傻逼", "你是傻逼"),
        ("你是傻逼", "亲，你是傻逼"),
        ("傻.逼", "你是傻.逼"),
        ("“傻逼”", "你就是“傻逼”"),
        ("“傻逼”", "你是傻逼"),
    ],
)
def test_a_shops_own_span_lets_abuse_through_but_never_hides_it(
    engine: Engine, span: str, text: str
) -> None:
    policy = Policy(allow_spans=(span,), version=span)

    verdict = engine.check(text, speaker=Speaker.AGENT, policy=policy)
    from_buyer = engine.check(text, speaker=Speaker.BUYER, policy=policy)

    assert Category.INSULT in {hit.category for hit in verdict.hits}
    assert from_buyer.action is Action.LOG


@pytest.mark.parametrize(
    ("span", "text"), [("纸张", "你是智障"), ("沙碧", "你是傻逼"), ("智长", "你是zhizhang")]
)
def test_a_shops_span_shelters_nothing_that_merely_sounds_like_it(
    engine: Engine, span: str, text: str
) -> None:
    policy = Policy(allow_spans=(span,), version=span)

    assert agent(engine, text, policy) is agent(engine, text)
    assert engine.abuse_in([span]) == []


def test_a_leader_is_asked_for_a_reason_for_spans_that_hold_abuse_alone(engine: Engine) -> None:
    spans = ["傻逼", "纸张一样", "微信支付", "你是傻逼", "隔壁老王家"]

    assert engine.abuse_in(spans) == ["傻逼", "你是傻逼"]


def test_a_new_version_of_a_policy_is_compiled_anew(engine: Engine) -> None:
    old = Policy(extra_terms=(_term("旧词甲"),), version="v")
    new = Policy(extra_terms=(_term("新词乙"),), version="v")

    assert agent(engine, "旧词甲", old) is Action.WARN
    assert agent(engine, "旧词甲", new) is Action.ALLOW
    assert agent(engine, "新词乙", new) is Action.WARN


def test_the_policies_kept_are_limited_and_of_each_shop_it_is_one() -> None:
    engine = Engine(Lexicon(entries=()))
    for number in range(MAX_POLICIES + 5):
        for version in ("1", "2"):
            terms = (_term(f"某词{version}"),)
            agent(engine, "你好", Policy(extra_terms=terms, version=version, owner=str(number)))

    assert len(engine._policies) == MAX_POLICIES


def test_severity_steps_down_only_for_the_graded_categories() -> None:
    policy = Policy()

    assert policy.action_for(Category.INSULT, Severity.LOW, Speaker.AGENT) is Action.WARN
    assert policy.action_for(Category.OFF_PLATFORM, Severity.LOW, Speaker.AGENT) is Action.CONFIRM


def test_the_evidence_is_limited_and_keeps_the_strictest(engine: Engine) -> None:
    verdict = engine.check("保证正品，" * 200 + "傻逼", speaker=Speaker.AGENT)

    assert len(verdict.hits) <= MAX_HITS
    assert verdict.action is Action.BLOCK


def _term(text: str) -> Term:
    return Term(TermId(f"shop.{text}"), (text,), Category.COLD)
