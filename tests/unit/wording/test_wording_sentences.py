"""Whole sentences of the trade, from both sides: what must fire, as what, and what must not."""

import pytest

from wording import Category, Engine, Speaker

pytestmark = pytest.mark.unit

AGENT_MUST_FIRE = {
    Category.INSULT: (
        "你就是个傻逼", "脑子有毛病就去医院看看", "滚一边去，别在这烦我", "臭不要脸的东西",
        "死穷鬼，买不起就别买", "神 经 病，天天来问", "操ni妈的，再来退一个试试", "真TMD烦",
    ),
    Category.THREAT: (
        "信不信我找人弄你", "我有你的地址，你等着", "再给差评我就天天打电话骚扰你",
        "把你的信息挂到网上", "敢差评就给你寄花圈",
    ),
    Category.DISCRIMINATION: (
        "你们河南人是不是都喜欢骗退款", "乡下人就是没见识", "死娘炮买什么口红", "残废还学别人网购",
    ),
    Category.COMMAND: ("快点付款", "别废话，直接拍", "自己去看详情页", "要买快买，不买别问"),
    Category.QUESTIONING: ("你到底买不买？", "你看不懂中文吗？", "怎么不早说？", "你有证据吗？"),
    Category.COLD: ("没有", "不知道", "喂，说话呀！", "喂，说吧！", "爱买不买", "哦"),
    Category.BARGAIN_REFUSAL: ("我这里不还价", "一分都不能少", "嫌贵就去别家", "讲价的绕道"),
    Category.SHIRKING: ("这不关我们的事", "你自己去找快递", "这个不归我管", "找厂家去"),
    Category.OVER_PROMISE: ("我们家绝对正品", "保证明天到货", "全网最低价", "三天见效，无副作用"),
    Category.OFF_PLATFORM: ("加我微信详聊", "微-信联系更便宜", "加v：kefu001", "方便留个QQ吗"),
    Category.REVIEW_INDUCEMENT: (
        "五星好评返现3元", "把差评删了，给您补偿", "改成好评我给您退20元", "晒图有红包哦",
    ),
    Category.REASON_STEERING: (
        "退款原因选七天无理由", "不要选质量问题哦", "麻烦改一下退款原因", "原因写拍错了就行",
    ),
    Category.PII_LEAK: ("我把其他客户的电话发给你", "他的电话13912345678"),
}  # fmt: skip

AGENT_MUST_NOT_FIRE = (
    "您好，请问有什么可以帮您", "亲，您可以自己看一下物流信息哦", "没有问题的亲",
    "您放心，不会骗您的",
    "这款傻瓜相机操作简单", "垃圾袋满两件包邮",
    "请勿添加陌生人微信，谨防诈骗", "微信支付的款项原路退回", "七天无理由退货是支持的",
    "您的退款原因是什么呢", "请您耐心等待，不要着急", "不能保证明天一定到，以物流为准",
    "为了保证您的权益请提供照片", "最好提前联系快递员", "变态辣的鸡翅很好吃", "他妈妈签收的",
    "我操作一下，您稍等", "关注微信公众号可以查物流", "订单号13800138000123", "喂奶枕还有货的",
    "S码M码L码都有", "USB接口的", "二百五十元包邮", "王女士您好，八个蛋已发", "死海泥面膜",
    "麻烦您给个评价哦", "质量问题运费我们承担", "您看下是不是拍错了", "这个我帮您问一下仓库",
)  # fmt: skip

BUYER_MUST_FIRE = (
    "你们就是骗子", "垃圾客服", "什么玩意，滚", "傻逼店铺", "妈的，又发错了", "tmd到底发不发货",
    "卖假货的奸商", "你们这破店早晚倒闭", "他妈的等了一个星期", "真不要脸", "客服是猪脑子吗",
    "狗东西退钱", "恶心的店", "cnm", "去死吧", "王八蛋还我钱", "没素质的客服", "什么狗屁服务",
    "脑残客服", "尼玛，又涨价了",
)  # fmt: skip

BUYER_MUST_NOT_FIRE = (
    "我妈的手机号是这个", "他妈妈要红色的", "要怎么操作", "卫生纸和垃圾袋",
    "狗粮什么时候到", "我靠窗的位置放得下吗",
    "这个逼真吗", "滚筒洗衣机多大", "是你吗", "正确的是哪个", "只收到一件东西", "地址，上海",
    "我刚下了两个订单", "变态辣有货吗", "手贱点错了，能取消吗", "电池是吧", "跟平时一样", "XXL有吗",
    "这款笨吗，会不会太重", "我要买死海泥",
)  # fmt: skip

ABUSE = {Category.INSULT, Category.THREAT, Category.DISCRIMINATION}
CASES = [(category, text) for category, texts in AGENT_MUST_FIRE.items() for text in texts]


@pytest.mark.parametrize(("category", "text"), CASES)
def test_a_bad_line_of_an_agent_fires(engine: Engine, category: Category, text: str) -> None:
    hits = engine.check(text, speaker=Speaker.AGENT).hits

    assert category in {hit.category for hit in hits}


@pytest.mark.parametrize("text", AGENT_MUST_NOT_FIRE)
def test_a_good_line_of_an_agent_is_clean(engine: Engine, text: str) -> None:
    assert engine.check(text, speaker=Speaker.AGENT).hits == ()


@pytest.mark.parametrize("text", BUYER_MUST_FIRE)
def test_an_abusive_line_of_a_buyer_is_flagged(engine: Engine, text: str) -> None:
    hits = engine.check(text, speaker=Speaker.BUYER).hits

    assert ABUSE & {hit.category for hit in hits}


@pytest.mark.parametrize("text", BUYER_MUST_NOT_FIRE)
def test_an_innocent_line_of_a_buyer_is_not_abuse(engine: Engine, text: str) -> None:
    hits = engine.check(text, speaker=Speaker.BUYER).hits

    assert not ABUSE & {hit.category for hit in hits}
