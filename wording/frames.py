"""Abuse that is built and not listed: a frame with a place for any verb, kin or part of the body.

A frame has pivots, which are looked for as any term is; only where one stands, the pattern around
it decides. It must not know contexts: excuses of a frame are a part of its pattern.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wording.model import Category, Flag, Severity, Term, TermId

BEFORE: Final = 8
AFTER: Final = 14

_HAN: Final = "\u4e00-\u9fff"
# In the plain reading, without signs: a clause may end anywhere in it, which the gaps tell.
_KIN: Final = r"""
    (?:妈妈?|娘|爹|爸爸?|老母|老娘|老子|奶奶?|爷爷?|姥姥|祖宗|祖坟|先人|全家|一家|家人|户口本|
    老婆|老公|儿子|女儿|孩子|父母|双亲|马|大爷|姐|妹|仙人)
"""
_WHO: Final = r"""
    (?:你们?|他们?|她|尼|恁|妳|祢)
"""
_THING: Final = r"""
    (?:蛋|屁|屎|鬼|大头鬼|头|锤子|铲铲|毛线|毛|鸟|卵|球|der|妹|腿)
"""
# What makes goods of it: 蛋糕, 屁股, 头盔, 毛巾, 球鞋.
_GOODS: Final = r"""
    (?![糕黄白卷挞清壳仔饺股垫帘盔饰像巾衣绒笔毯虫币屏戴发皮绳花皂油盔巾饰带枕颅条套圈鞋拍服衫膜袋箱裤袜靴膝部环链机上下里面边层])
"""
_END: Final = r"""
    (?=$|[啊呀吧呢嘞咯啦喔哦的了嘛么吗客你我还就什]|道理|东西)
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """A pattern, and the words in it that it is looked for by."""

    name: str
    category: Category
    severity: Severity
    pivots: Sequence[str]
    pattern: re.Pattern[str]

    @property
    def term(self) -> Term:
        """The term that a finding of it names."""
        return Term(
            TermId(f"frame.{self.name}"),
            tuple(self.pivots),
            self.category,
            self.severity,
            flags=frozenset({Flag.GAP, Flag.FIRM}),
        )

    def around(self, text: str, start: int, end: int) -> tuple[int, int] | None:
        """Answer where the frame stands around a pivot, None if it does not."""
        for found in self.pattern.finditer(text, max(0, start - BEFORE), end + AFTER):
            if found.start() <= start and end <= found.end():
                return found.span()
            if found.start() > start:
                return None
        return None


def _frame(name: str, pivots: str, pattern: str, *, gravity: tuple[Category, Severity]) -> Frame:
    category, severity = gravity
    return Frame(name, category, severity, pivots.split(), re.compile(pattern, re.VERBOSE))


def frames() -> Iterator[Frame]:
    """Answer every frame."""
    yield from _INSULTS
    yield from _THREATS


_INSULTS: Final = (
    _frame(
        "verb_kin",
        """
        你妈 你娘 你爹 你爸 你老母 你奶 你爷 你祖 你先人 你全家 你大爷 你仙人 恁娘 恁妈 他妈
        他娘
        """,
        rf"""
        (?<![体情曹节])[操日干草艹肏屌吊叼丢透捅入曰贼](?:死|了|翻|烂|爆)?(?:你们?|他|
        恁)个?(?:的)?{_KIN}(?!妈?的?(?:手机|电话|号码|地址|生日|衣服|同意))
        """,
        gravity=(Category.INSULT, Severity.HIGH),
    ),
    _frame(
        "verb_object",
        """
        你个 他个 她个
        """,
        rf"""
        [退看讲买给吃去滚问催投管要赔换修查发说算笑叫急卖用]{_WHO}个{_THING}{_GOODS}{_END}
        """,
        gravity=(Category.INSULT, Severity.MEDIUM),
    ),
    _frame(
        "verb_fart",
        """
        个屁 个鸡巴 个鸡毛 个der
        """,
        r"""
        (?![放一两买发给了几这那是有送拍选出来])[\u4e00-\u9fff]个(?:屁|鸡巴|鸡毛|
        der)(?![股垫帘孩兜桃味])|有个(?:屁|鸡毛|鸡巴)用
        """,
        gravity=(Category.INSULT, Severity.MEDIUM),
    ),
    _frame(
        "knows_nothing",
        """
        个锤子 个铲铲 个毛线 个毛 个鸟 个卵 个球 个鬼 个头
        """,
        rf"""
        (?:懂|知道|晓得|会|算|管|行|急)个(?:锤子|铲铲|毛线|毛|鸟|卵|球|鬼|头){_GOODS}{_END}
        """,
        gravity=(Category.INSULT, Severity.MEDIUM),
    ),
    _frame(
        "kin_death",
        """
        妈死 妈都死 妈没了 妈炸 妈暴毙 妈升天 妈火化 妈归西 娘死 爹死 爹没了 爸死 家死 家都死
        家暴毙 家升天 家火化 家炸 家祭天 马死 马没了 妈早死 妈今天死 妈是不是死 妈出殡 妈断气
        妈骨灰 妈坟 妈棺材 家骨灰
        """,
        rf"""
        {_WHO}(?:家里?)?(?:妈妈?|娘|爹|爸爸?|老母|全家|一家|家|马)(?:是不是|今天|早|都|全|要|快|
        就)*(?:死[了光绝翻透吗吧全没啦]|死$|没了|炸了(?!鸡)|暴毙|升天|火化|归西|祭天|出殡|断气|
        骨灰|坟|棺材)(?!机|板|锁|角|皮|活|结|心)
        """,
        gravity=(Category.INSULT, Severity.HIGH),
    ),
    _frame(
        "death_kin",
        """
        死妈 死你妈 死全家 死了妈 死了爹 死了娘 死爹 死娘 死马 死了全家 死光全家 没爹 没娘 没妈
        无娘
        """,
        r"""
        (?<![气急累笑吓想爱困饿渴热冷烦忙疼丑美贵老该])死(?:了|光)?(?:你|他)?(?:妈|爹|娘|马|
        全家)(?:的|了|玩意|东西|货|一样|吧|$)|没(?:爹|妈|娘)(?:没|养|教|的东西|的玩意)|
        (?:有[娘妈爹]生)?[没无][娘妈爹][养教]
        """,
        gravity=(Category.INSULT, Severity.HIGH),
    ),
    _frame(
        "brain",
        """
        脑子 脑袋 脑壳 脑瓜 脑阔 脑仁 脑回路
        """,
        r"""
        (?<![电主洗猪鸡羊狗鱼兔鹅])脑(?:子|袋|壳|瓜子?|阔|仁|回路)(?:里面?|是不是|难道|怕是|肯定|
        真的?|可能|好像|都|也|就|有点|全|让|给|装的?都?是?)*(?:有病|有毛病|有问题|有坑|有包|有泡|
        有屎|有洞|有水|坏了|坏掉|进屎|进水|进了水|灌水|灌屎|瓦特|秀逗|短路|被门|被驴踢?|被猪|被狗|
        驴踢|门夹|门挤|狗吃|缺根?弦|缺根筋|抽|不好使|不清醒|不正常|生锈|屎|浆糊|长包|长泡|残废|
        烧坏|进粪|喂狗|落家|忘带|没带|没长)|(?:没长|不长|没带|没有|缺个?|长没长)脑子|没长脑袋
        """,
        gravity=(Category.INSULT, Severity.HIGH),
    ),
    _frame(
        "mothers",
        """
        妈的
        """,
        r"""
        (?<![我他她你咱妈大姨舅婆奶干宝儿女孩子老姑后亲的给是像辣当做为岳丈爸爹爷娘姥伯叔哥姐弟妹友学事们邻家人帮送替和跟与同向对让叫用穿养晚各哪谁位名个新准孕产单小有买寄让陪带爱])妈的(?!手机|
        电话|号|名|生日|衣|鞋|裤|裙|尺码|身|地址|账|微信|礼|码|年|妈|爸|心|味|孩|朋|单|身份|订|
        话|包|脚|手|头|生活|爱|意|节|那|这款|同款)
        """,
        gravity=(Category.INSULT, Severity.MEDIUM),
    ),
)

_OBJECT: Final = r"""
    (?:狗?腿|狗?头|手|嘴|狗嘴|脸|牙|舌头|脖子|眼睛?|狗眼|皮|骨头|全家|家|破?店|铺子|公司|仓库|门|
    车|祖坟|坟|老婆|孩子|儿子|女儿|妈|爸|狗命|命|耳光|嘴巴|巴掌)
"""
_THREATS: Final = (
    _frame(
        "harm",
        """
        断你 烂你 碎你 爆你 残你 瘸你 瞎你 死你 砸你 烧你 堵你 刨你 挖你 撕你 剁你 卸你 捅你
        砍你 扇你 抽你 断了你 烂了你 碎了你 爆了你 残了你 瘸了你 砸了你 烧了你 撕了你 剁了你
        卸了你 刨了你 炸了你 废了你 弄了你 宰了你 灭了你 做了你 捅了你 砍了你 打掉你 敲掉你
        掀了你
        """,
        rf"""
        (?<![吓累急气笑想爱美困饿渴疼丑烦忙])(?:(?:打|敲|砍|剁|卸|撕|抽|扇|砸|烧|踹|踢|剪|挖|刨|
        掀|炸|踏)(?:断|烂|碎|爆|残|瘸|瞎|死|了|掉|平|翻)?你们?(?:家|个)?的?{_OBJECT}(?!具|机|电|
        用|里的|店的|的电话|庭|居)|(?:捅|砍|卸|扇|抽)你们?[一两几三]?[个条只]?(?:刀|腿|手|
        大?嘴巴子?|巴掌|耳光)|(?:废|弄|砍|宰|捅|剁|做|灭)(?:死|了|残)你们?(?:全家)?(?![的买拍]))
        """,
        gravity=(Category.THREAT, Severity.HIGH),
    ),
    _frame(
        "limbs",
        """
        打断 打烂 打爆 砍了 砍断 剁了 砸了 烧了 撕了 撕烂 拧断 拧下 卸了 炸了
        """,
        r"""
        把你们?(?:的|家)?(?:狗?腿|手|嘴|头|店|破店|家|牙|脖子)(?:给|都)?(?:打断|打烂|砍|剁|砸|烧|
        撕|拧|卸|打爆|炸)了?
        """,
        gravity=(Category.THREAT, Severity.HIGH),
    ),
    _frame(
        "outcome",
        """
        让你横 让你竖 让你躺 让你进医 让你住院 让你坐轮 让你见不 让你看不 让你见阎 让你去见
        让你全家 让你死无 让你断子 叫你全家 叫你吃不 叫你死无 叫你断子 要你全家 送你见阎
        送你去见阎 你们横着 你们躺着 你们全家 你全家陪 你全家给 你全家不 你全家死
        """,
        r"""
        (?:让|叫|要|送)你们?(?:横着|竖着进|躺着|进医院|住院|坐轮椅|见不到明?天|看不到明天|见阎王|
        去见阎王|全家陪葬|全家死|死无|断子绝孙|全家不得|吃不了兜)|你全家(?:陪葬|给我|不得好死|
        死绝)
        """,
        gravity=(Category.THREAT, Severity.HIGH),
    ),
    _frame(
        "crowd",
        """
        带人 带刀 找人 叫人 喊人 叫兄弟 叫社会
        """,
        r"""
        (?:带(?:人|刀|家伙)|[找叫喊]人|叫兄弟|叫社会上?的?人?)[\u4e00-\u9fff]{0,5}(?:去|到|
        来)?[\u4e00-\u9fff]{0,4}(?:弄|打|砍|废|收拾|教训|堵|砸|搞|揍|做)(?:死|
        了)?(?:你们?(?!电话|手机|印|包|货|好|家电话|开|折|领)|他们?店)
        """,
        gravity=(Category.THREAT, Severity.HIGH),
    ),
    _frame(
        "car",
        """
        车撞 车轧 车压 车碾
        """,
        r"""
        出门(?:小心|当心|注意)?(?:点)?(?:就|会|必|要)?(?:被|让)车(?:撞|轧|压|碾)
        """,
        gravity=(Category.THREAT, Severity.HIGH),
    ),
)
