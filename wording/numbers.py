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
_RUN = re.compile(r"(?<![0-9a-zA-Z/=_.-])[0-9](?:[ -]?[0-9]){4,22}+[xX]?+(?![0-9a-zA-Z_=-])")
_HANDLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{5,19}+(?![a-zA-Z0-9_-])")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_LANDLINE = re.compile(r"0(?:10|2[0-9]|[3-9][0-9]{2})[- ]?[2-8][0-9]{6,7}")
_MOBILE = re.compile(r"(?:\+?86[- ]?)?(1[3-9][0-9]{9})")
_TRACE = re.compile(r"[0-9a-z]{5}")
MAX_HANDLE_CHARS = 20
# What must stand shortly before a bare number or handle that is a chat account.
_CHAT_REACH = 10
_QQ_NAMES = ("qq", "扣扣", "企鹅", "秋秋", "球球", "抠抠")
_WECHAT_NAMES = ("微信", "威信", "薇信", "微心", "vx", "wx", "v信", "weixin", "加v", "加薇")
_NAME = re.compile("|".join(_WECHAT_NAMES))
_ORDER_NAMES = ("订单", "单号", "编号", "货号", "款号", "工号", "型号", "运单", "条码", "发票", "税号")


def may_hold_numbers(plain: str) -> bool:
    """Look quickly at the plain reading of a text: is there anything to find?"""
    return _TRACE.search(plain) is not None


def find_numbers(text: str) -> Iterator[Number]:
    """Answer the numbers of a text; order, item and tracking numbers are not among them."""
    for run in _RUN.finditer(text):
        number = _classify(text, run)
        if number is not None:
            yield number
    yield from _handles(text.lower())


def _classify(text: str, run: re.Match[str]) -> Number | None:
    raw = run.group()
    digits = raw.replace(" ", "").replace("-", "").upper()
    before = text[max(0, run.start() - _CHAT_REACH) : run.start()].lower()
    if any(name in before for name in _ORDER_NAMES):
        return None
    kind = _kind(raw, digits, before)
    return None if kind is None else Number(kind, run.start(), run.end(), digits)


def _kind(raw: str, digits: str, before: str) -> NumberKind | None:
    if _MOBILE.fullmatch(digits):
        return NumberKind.MOBILE
    if len(digits) == 18 and is_identity(digits):
        return NumberKind.IDENTITY
    if not digits.isdigit():
        return None
    if _LANDLINE.fullmatch(raw):
        return NumberKind.LANDLINE
    if 16 <= len(digits) <= 19 and digits[0] in "3456" and passes_luhn(digits):
        return NumberKind.BANK_CARD
    if 5 <= len(digits) <= 11 and digits[0] != "0" and any(name in before for name in _QQ_NAMES):
        return NumberKind.QQ
    if 5 <= len(digits) <= 11 and any(name in before for name in _WECHAT_NAMES):
        return NumberKind.WECHAT
    return None


def _handles(text: str) -> Iterator[Number]:
    for name in _NAME.finditer(text):
        end = name.end()
        found = _HANDLE.search(text, end, min(len(text), end + _CHAT_REACH + MAX_HANDLE_CHARS))
        if found and found.start() - end <= _CHAT_REACH and _is_handle(found.group()):
            yield Number(NumberKind.WECHAT, found.start(), found.end(), found.group())


def _is_handle(word: str) -> bool:
    """An account name carries a digit or an underscore; a plain word is a brand or a sentence."""
    return any(char.isdigit() or char == "_" for char in word)


def is_identity(digits: str) -> bool:
    """Check birth date and check digit of a resident identity number (GB 11643)."""
    if not digits[:17].isdigit() or digits[0] == "0":
        return False
    year, month, day = int(digits[6:10]), int(digits[10:12]), int(digits[12:14])
    if not (1900 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=False))
    return _ID_CHECKS[total % 11] == digits[17]


def passes_luhn(digits: str) -> bool:
    """Check the last digit of a card number (ISO/IEC 7812)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
