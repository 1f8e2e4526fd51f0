"""Where a speaker stands to what he says: he speaks of himself, he warns, he asks about others.

It knows the words around a finding, as they fold; `context` says what follows.
"""

import re
from typing import Final

_SELF: Final = re.compile(
    r"我(?:们|自己|这个?人|爸妈?|妈妈?|家里?人?|脑子)*(?:真的?|也|就|都|太|好|是|可能|确实|可|这|个|像|有点|"
    r"一个|当时|又|的|才|怎么|那么|这么|特别|果然|简直|肯定|一定|老|天生)*"
)
# Words of a person spoken to, or of kin: they make it an attack, whoever begins the sentence.
_AT_OTHERS: Final = frozenset("你他她妈娘爹爷祖全滚操日")
_WARNINGS: Final = (
    "谨防", "警惕", "当心", "切勿", "请勿", "勿信", "不要相信", "别相信", "冒充", "假冒", "诈骗",
    "防骗", "谨慎", "上当", "是骗子", "是骗人", "是假的",
)  # fmt: skip
_OTHERS: Final = ("有人", "有没有人", "谁", "陌生人", "别人", "对方", "自称", "骗子")
_ASKED: Final = re.compile(r"[^，。！,!;；\n]{0,10}?(?:吗|么|没有|[?？])")


def is_of_himself(before: str, surface: str) -> bool:
    """Tell whether a clause that begins with the speaker calls himself names: 我笨死了."""
    at = before.rfind("我")
    if at < 0 or not _AT_OTHERS.isdisjoint(surface):
        return False
    return _SELF.fullmatch(before, at) is not None and not before[:at].endswith(("给", "跟", "对"))


def is_warning(around: str) -> bool:
    """Tell whether what is named is warned of."""
    return any(word in around for word in _WARNINGS) and "不是骗" not in around


def is_asked_of_others(before: str, behind: str) -> bool:
    """Tell whether the question is what somebody else did: 有人加微信吗."""
    return before.endswith(_OTHERS) or (
        any(word in before for word in _OTHERS) and _ASKED.match(behind) is not None
    )
