"""Innocent messages that neighbour an insult: named one by one, and none of them is held."""

import pytest

from wording import ABUSE, Action, Engine, Policy, Speaker

pytestmark = pytest.mark.unit

INNOCENT = (
    "我是福建人", "二十八号发货", "真无聊", "什么福利", "吃午饭了", "你写的地址", "再送您几把叉子",
    "SB-250有货", "2B铅笔有货", "尼玛县可以到", "纸张一样的", "剑人漫画周边", "草泥马玩偶现货",
    "滚蛋吧肿瘤君的书", "《滚蛋吧！肿瘤君》", "贱人就是矫情这句台词周边", "脑残粉T恤", "狗屎运",
    "王八蛋糕店", "蛋白痴", "蛋白痴迷", "新建人员名单", "这样好吗逼真吗",
    "铅笔2B的有吗", "地滚球有货", "放屁垫包邮", "沙雕摆件", "看门狗摆件", "猪头饼干", "狗屎玩具",
    "侏儒兔", "人渣反派自救系统", "亲手做的", "二十八寸行李箱",
)  # fmt: skip
ABUSIVE = {
    "你是智障": "纸张",
    "你这狗屎，运费自己出": "狗屎运",
    "狗\u200b屎，运费自己出": "狗屎运",
    "你个脑残，粉色没有": "脑残粉",
    "白痴，蛋没了": "蛋白痴",
    "你个贱人就是矫情": "贱人就是矫情这句",
    "滚蛋吧": "滚蛋吧肿瘤君",
    "尼玛，县城不到": "尼玛县",
    "什么几把东西": "几把",
}
"""What is abuse, by the innocent word that it could hide behind."""
GUESSED = ("你个剑人", "你是建人", "你这个几把")


@pytest.mark.parametrize("text", INNOCENT)
def test_an_innocent_message_of_an_agent_is_not_held(engine: Engine, text: str) -> None:
    assert engine.check(text, speaker=Speaker.AGENT).action is Action.ALLOW


@pytest.mark.parametrize("text", INNOCENT)
def test_an_innocent_message_of_a_buyer_is_not_called_abuse(engine: Engine, text: str) -> None:
    hits = engine.check(text, speaker=Speaker.BUYER).hits

    assert not ABUSE & {hit.category for hit in hits}


@pytest.mark.parametrize("text", ABUSIVE)
def test_an_innocent_word_hides_no_abuse(engine: Engine, text: str) -> None:
    assert engine.check(text, speaker=Speaker.AGENT).action is Action.BLOCK


@pytest.mark.parametrize("text", GUESSED)
def test_a_word_that_is_one_by_sound_alone_is_asked_for(engine: Engine, text: str) -> None:
    assert engine.check(text, speaker=Speaker.AGENT).action is Action.CONFIRM


@pytest.mark.parametrize("text", ["纸张", "纸 张", "两种纸张一样"])
def test_a_span_as_written_shelters_what_sounds_like_a_term(engine: Engine, text: str) -> None:
    assert engine.check(text, speaker=Speaker.AGENT).hits == ()
    spared = Policy(allow_spans=("只张",), version="sounds")
    assert engine.check("你是智障", speaker=Speaker.AGENT, policy=spared).action is Action.BLOCK
