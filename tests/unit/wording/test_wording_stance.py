"""Who speaks of himself is not grave, and who warns or asks about others makes no offer."""

import pytest

from wording import Category, Engine, Severity, Speaker

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text", ["我真是个傻子", "我是傻逼", "我自己就是个白痴", "怪我，我真的是个蠢货", "我就是个废物"]
)
@pytest.mark.parametrize("speaker", list(Speaker))
def test_what_somebody_calls_himself_is_low(engine: Engine, text: str, speaker: Speaker) -> None:
    hits = engine.check(text, speaker=speaker).hits

    assert {hit.severity for hit in hits if hit.category is Category.INSULT} == {Severity.LOW}


@pytest.mark.parametrize(
    "text", ["我看你是个傻逼", "我操你妈", "是我，傻逼", "我说你是傻逼", "你是傻逼", "我日你全家"]
)
def test_what_he_calls_others_is_as_grave_as_ever(engine: Engine, text: str) -> None:
    hits = engine.check(text, speaker=Speaker.BUYER).hits

    assert Severity.HIGH in {hit.severity for hit in hits}


@pytest.mark.parametrize(
    "text",
    [
        "有人加微信吗", "是不是有人加您微信了？", "谨防有人加微信行骗",
        "加微信的都是骗子，请当心", "好评返现都是假冒我们的，请勿相信",
    ],
)  # fmt: skip
def test_a_question_about_others_or_a_warning_is_no_offer(engine: Engine, text: str) -> None:
    assert engine.check(text, speaker=Speaker.AGENT).hits == ()


@pytest.mark.parametrize("text", ["可以加您微信吗", "加微信吧", "方便留个QQ吗", "好评返现要吗"])
def test_an_offer_in_a_question_is_one(engine: Engine, text: str) -> None:
    found = {hit.category for hit in engine.check(text, speaker=Speaker.AGENT).hits}

    assert found & {Category.OFF_PLATFORM, Category.REVIEW_INDUCEMENT}
