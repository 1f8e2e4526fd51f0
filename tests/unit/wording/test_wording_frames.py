"""Abuse built of a frame and any word, and what stands near a frame and is innocent."""

import pytest

from wording import ABUSE, Engine, Speaker

pytestmark = pytest.mark.unit

BUILT = (
    "操死你妈", "日翻你全家", "干你娘", "退你个蛋", "看你个屁", "买你个锤子", "会个屁",
    "催个鸡毛", "懂个锤子", "你妈没了", "你全家都死光", "死了妈的东西", "有娘生没娘养", "没妈教",
    "脑子被门夹了", "脑袋里装的都是屎", "你脑壳有包吧", "没长脑子", "脑回路不正常",
    "这妈的什么玩意", "真妈的烦", "砸了你的店", "打断你狗腿", "扇你两巴掌", "让你横着出去",
    "带人去砸你店", "出门被车撞", "把你店砸了", "您脑子有毛病吧", "操 死 你 妈", "你妈今天死了吗",
    "刨你家祖坟", "有个屁用",
)  # fmt: skip
NEAR = (
    "给你个蛋糕", "给我发个屁垫", "一个屁股", "放个屁都听得到", "买个锤子手机", "送个球",
    "你妈妈的手机号", "我妈的快递", "老妈的生日", "给妈的礼物", "你全家都没了优惠", "电脑坏了",
    "电脑有问题", "送你去机场", "叫人送货到你家", "出门坐车", "把你手机号发我",
    "打断你一下", "急死你了", "剪掉你的标签", "草莓你妈爱吃", "日用你妈能用", "靠你爸了",
    "累死你妈了吧", "弄坏了你的东西", "你妈没收到", "你妈炸鸡好吃吗", "死马当活马医", "没妈妈陪",
    "缺个脑袋的玩偶", "没有脑袋的娃娃", "孕妈的",
)  # fmt: skip


@pytest.mark.parametrize("text", BUILT)
def test_a_frame_is_abuse_whatever_word_fills_it(engine: Engine, text: str) -> None:
    hits = engine.check(text, speaker=Speaker.BUYER).hits

    assert ABUSE & {hit.category for hit in hits}
    assert all(text[hit.start : hit.end] == hit.surface for hit in hits)


@pytest.mark.parametrize("text", NEAR)
def test_what_stands_near_a_frame_is_innocent(engine: Engine, text: str) -> None:
    for speaker in Speaker:
        hits = engine.check(text, speaker=speaker).hits

        assert not ABUSE & {hit.category for hit in hits}, hits


def test_the_whole_frame_is_the_evidence(engine: Engine) -> None:
    hits = engine.check("客服你们脑子是不是被驴踢了", speaker=Speaker.BUYER).hits

    assert "脑子是不是被驴踢" in {hit.surface for hit in hits}
