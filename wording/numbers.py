"""Rules for what is a number to hide: phones, identity numbers, bank cards, QQ and WeChat ids.

Digit runs are cut out by one linear pattern with boundaries on both sides; checksums decide. It
must not know terms or policies.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class NumberKind(StrEnum):
    """What a digit run turned out to be."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    IDENTITY = "identity"
    BANK_CARD = "bank_card"
    QQ = "qq"
    WECHAT = "wechat"


@dataclass(frozen=True, slots=True)
class Number:
    """A number at a span of the original text; `digits` is its normal form."""

    kind: NumberKind
    start: int
    end: int
    digits: str


# A run may be grouped by single blanks or hyphens; possessive repetition keeps it linear.
# Like others here it begins with a class by itself, so that `re` skips to its first digit.
_RUN = re.compile(r"[0-9](?<![0-9a-zA-Z/=_.-].)(?:[ -]?[0-9]){4,22}+[xX]?+(?![0-9a-zA-Z_=-])")
_HANDLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{5,19}+(?![a-zA-Z0-9_-])")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_IDENTITY = re.compile(
    r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]"
)
_CARD = re.compile(r"[3-6][0-9]{15,18}")
_CHAT = re.compile(r"[1-9][0-9]{4,10}")
_LANDLINE = re.compile(r"0(?:10|2[0-9]|[3-9][0-9]{2})[- ]?[2-8][0-9]{6,7}")
_MOBILE = re.compile(r"(?:\+?86[- ]?)?(1[3-9][0-9]{9})")
_TRACE = re.compile(r"[0-9a-z][0-9a-z]{4}")
MAX_HANDLE_CHARS = 20
# What must stand shortly before a bare number or handle that is a chat account.
_CHAT_REACH = 10
# The name of an account in Han characters stands so near before the account.
_NAMED_WITHIN = 16
_QQ_NAMES = ("qq", "扣扣", "企鹅", "秋秋", "球球", "抠抠")
_WECHAT_NAMES = ("微信", "威信", "薇信", "微心", "vx", "wx", "v信", "weixin", "加v", "加薇")
_NAME = re.compile("|".join(_WECHAT_NAMES))
_CHAT_NUMBER = re.compile(
    f"({'|'.join((*_QQ_NAMES, *_WECHAT_NAMES))})"
    r"号?码?[ :：是为]{0,3}([1-9][0-9]{4,10})(?![0-9a-z])"
)
_QQ = re.compile("|".join(_QQ_NAMES))
_ORDER = re.compile("订单|单号|编号|货号|款号|工号|型号|运单|条码|发票|税号")
_IDENTITY_DIGITS = 18
_CARD_DIGITS = range(16, 20)


def may_hold_numbers(plain: str) -> bool:
    """Look quickly, at the plain reading of a text, whether there is anything to find."""
    return _TRACE.search(plain) is not None


def find_numbers(text: str, start: int = 0) -> Iterator[Number]:
    """Answer the numbers of a text; order, item and tracking numbers are not among them.

    No letter and no digit stands before `start`.
    """
    for run in _RUN.finditer(text, start):
        number = _classify(text, run)
        if number is not None:
            yield number
    yield from _handles(text.lower(), max(0, start - _NAMED_WITHIN))


def _classify(text: str, run: re.Match[str]) -> Number | None:
    raw = run.group()
    digits = raw.replace(" ", "").replace("-", "").upper()
    before = text[max(0, run.start() - _CHAT_REACH) : run.start()].lower()
    if _ORDER.search(before):
        return None
    kind = _kind(raw, digits, before)
    return None if kind is None else Number(kind, run.start(), run.end(), digits)


def _kind(raw: str, digits: str, before: str) -> NumberKind | None:
    if _MOBILE.fullmatch(digits):
        return NumberKind.MOBILE
    if len(digits) == _IDENTITY_DIGITS and is_identity(digits):
        return NumberKind.IDENTITY
    if not digits.isdigit():
        return None
    if _LANDLINE.fullmatch(raw):
        return NumberKind.LANDLINE
    if len(digits) in _CARD_DIGITS and _CARD.fullmatch(digits) and passes_luhn(digits):
        return NumberKind.BANK_CARD
    return _account(digits, before)


def _account(digits: str, before: str) -> NumberKind | None:
    if not _CHAT.fullmatch(digits):
        return None
    if _QQ.search(before):
        return NumberKind.QQ
    return NumberKind.WECHAT if _NAME.search(before) else None


def _handles(text: str, start: int) -> Iterator[Number]:
    for chat in _CHAT_NUMBER.finditer(text, start):
        kind = NumberKind.QQ if chat.group(1) in _QQ_NAMES else NumberKind.WECHAT
        yield Number(kind, chat.start(2), chat.end(2), chat.group(2))
    for name in _NAME.finditer(text, start):
        end = name.end()
        found = _HANDLE.search(text, end, min(len(text), end + _CHAT_REACH + MAX_HANDLE_CHARS))
        if found and found.start() - end <= _CHAT_REACH and _is_handle(found.group()):
            yield Number(NumberKind.WECHAT, found.start(), found.end(), found.group())


def _is_handle(word: str) -> bool:
    """An account name carries a digit or an underscore; a plain word is a brand or a sentence."""
    return any(char.isdigit() or char == "_" for char in word)


def is_identity(digits: str) -> bool:
    """Check birth date and check digit of a resident identity number (GB 11643)."""
    if not _IDENTITY.fullmatch(digits):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=False))
    return _ID_CHECKS[total % len(_ID_CHECKS)] == digits[-1]


def passes_luhn(digits: str) -> bool:
    """Check the last digit of a card number (ISO/IEC 7812)."""
    doubled = "".join(str(int(digit) * 2) for digit in digits[-2::-2])
    return sum(map(int, digits[-1::-2] + doubled)) % 10 == 0
