"""How people hide abuse: each form is seen through where its sign stands, and only there."""

import pytest

from wording import ABUSE, Action, Category, Engine, Severity, Speaker, Why

pytestmark = pytest.mark.unit

HIDDEN = {
    Why.EMOJI: (
        "你🐴死了", "草泥🐎", "🐶东西", "吃💩去吧", "王8🥚", "傻🖊", "你🐴\ufe0f死了", "🖕",
        "退钱🖕🖕",
    ),
    Why.DIGITS: (
        "你748", "748吧", "你去4吧", "38婆", "死38", "你是250", "真是250", "客服250",
        "你妈4了", "4全家",
    ),
    Why.STRAY: ("傻a逼", "王1八蛋", "吃3屎", "贱o人"),
    Why.MASK: ("你这个傻*", "真是个贱×", "你个婊○", "贱*", "你就是个废*", "等了三天了傻*"),
    Why.MIXED: ("操nm", "你这个草nm"),
    Why.REVERSED: ("蛋八王", "你个蛋八王"),
    Why.SPLIT: ("贝戋人", "犬句杂禾中"),
}  # fmt: skip
INNOCENT = (
    "狗💩粮", "收💩货🐶地", "我家🐶很喜欢", "谢谢🐷年挂件", "🐴上发货", "🐧公仔有货吗", "🥚糕盒",
    "🐢缸多大", "748元", "250克的有吗", "我要250的", "去4号楼取", "我4点去拿", "38码有货",
    "一共13件", "你们有4个吗", "你看4S店", "买2送1", "换M码", "狗粮3袋", "大*小", "长*宽",
    "白*黑", "人*2", "尺寸大*", "人民", "这款S码", "黑b款", "子男的", "买的吗 你们店", "水衣有吗",
)  # fmt: skip
CASES = [(why, text) for why, texts in HIDDEN.items() for text in texts]


@pytest.mark.parametrize(("why", "text"), CASES)
@pytest.mark.parametrize("speaker", list(Speaker))
def test_abuse_that_people_hide_is_seen(
    engine: Engine, why: Why, text: str, speaker: Speaker
) -> None:
    hits = [hit for hit in engine.check(text, speaker=speaker).hits if hit.category in ABUSE]

    assert hits
    if speaker is Speaker.AGENT:
        assert why in {hit.why for hit in hits}


@pytest.mark.parametrize("text", INNOCENT)
@pytest.mark.parametrize("speaker", list(Speaker))
def test_a_sign_by_itself_says_nothing(engine: Engine, text: str, speaker: Speaker) -> None:
    hits = engine.check(text, speaker=speaker).hits

    assert not ABUSE & {hit.category for hit in hits}, hits


@pytest.mark.parametrize("text", ["傻*", "傻a逼", "操nm", "蛋八王", "🖕"])
def test_what_says_so_little_asks_an_agent_and_does_not_block(engine: Engine, text: str) -> None:
    verdict = engine.check(text, speaker=Speaker.AGENT)

    assert verdict.action is Action.CONFIRM
    assert {hit.severity for hit in verdict.hits} == {Severity.MEDIUM}


@pytest.mark.parametrize("text", ["你🐴死全家了", "王1八蛋"])
def test_a_long_word_is_certain_all_the_same(engine: Engine, text: str) -> None:
    assert engine.check(text, speaker=Speaker.AGENT).action is Action.BLOCK


def test_a_hit_of_a_second_reading_points_into_the_original(engine: Engine) -> None:
    text = "亲，你好。" * 20 + "死38婆你个王1八蛋，🐶东西" + "谢谢。" * 40
    for hit in engine.check(text, speaker=Speaker.BUYER).hits:
        assert text[hit.start : hit.end] == hit.surface

    surfaces = {hit.surface for hit in engine.check(text, speaker=Speaker.BUYER).hits}
    assert {"王1八蛋", "🐶东西"} <= surfaces


@pytest.mark.parametrize("text", ["➕V聊", "+微信聊", "加🐧号聊", "＋薇聊"])
def test_an_offer_behind_a_sign_is_one(engine: Engine, text: str) -> None:
    hits = engine.check(text, speaker=Speaker.AGENT).hits

    assert Category.OFF_PLATFORM in {hit.category for hit in hits}
