"""Text at the edge: refuse what cannot be stored, cut what is too long, mask what is personal.

Pure functions; knows nothing of where the text comes from.
"""

import re
import unicodedata
from typing import Final

from kit.errors import Unprocessable

_PHONE_DIGITS = 11
"""Digits of a Chinese mobile number, without its country code."""

_STARS_MOST = 4
"""Stars in a mask at most, so that a mask does not give the length away."""

_AREA = re.compile(
    r"""^(?:[^\W\d_]{2,8}?(?:特别行政区|自治区|省))?      # province
         (?:[^\W\d_]{1,10}?(?:自治州|地区|市|盟))?         # city
         (?:[^\W\d_]{1,10}?(?:新区|区|县|市|旗))?          # district
    """,
    re.VERBOSE,
)


_STORABLE = re.compile(
    rb"""(?: [^\\\x00]++                                    # as it is
           | \\[^u]                                        # a short escape: \\ \" \n
           | \\u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}        # one character
           | \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}  # a pair is one, too
         )*+""",
    re.VERBOSE | re.DOTALL,
)
"""JSON whose texts can be stored. Read from its beginning, so that the backslash somebody typed is
not taken for the one that begins an escape: a message of the six letters \\u0000 is a message."""

_BACKSLASH: Final = ord("\\")


class BadText(Unprocessable):
    """The text holds characters that cannot be stored."""

    slug, title = "bad_text", "The text holds characters that cannot be stored"


def refuse_unstorable(text: str) -> None:
    """Raise `BadText` on NUL or a lone surrogate.

    One NUL in a batch of 500 rows stored zero rows: nothing behind the edge can repair it.
    """
    if "\x00" in text:
        raise BadText("Remove the NUL character (U+0000).")
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadText("Remove the unpaired surrogate (U+D800 to U+DFFF).") from None


def refuse_unstorable_json(document: bytes) -> None:
    """Raise `BadText` where `refuse_unstorable` would for a text in this JSON, without parsing it.

    For readers that pass a body on as it stands. What is not UTF-8 is refused as well; whether it
    is JSON at all is not looked at, except in its escapes.
    """
    storable_json(document)


def storable_json(document: bytes) -> str:
    """Return the JSON as text. Raises `BadText` as `refuse_unstorable_json` does."""
    try:
        text = document.decode()
    except UnicodeDecodeError:
        raise BadText("Encode the text as UTF-8, without unpaired surrogates.") from None
    # Ours escape nothing but control characters: look closer only where an escape may be. One byte
    # is found sixteen times as fast by its number as two by their text.
    suspect = (_BACKSLASH in document and b"\\u" in document) or 0 in document
    if suspect and _STORABLE.fullmatch(document) is None:
        raise BadText("Remove NUL (U+0000) and unpaired surrogates (U+D800 to U+DFFF).")
    return text


_FILLERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing: Hangul's fillers, the empty Braille pattern."""


def is_blank(text: str) -> bool:
    """Tell whether nobody can see any of it: spaces, controls, zero-width and filler characters."""
    return all(
        unicodedata.category(character)[0] in "CZ" or character in _FILLERS for character in text
    )


def clip(text: str, limit: int) -> str:
    """Return at most `limit` characters; a cut shows as an ellipsis."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


_PHONE = re.compile(r"\+?[0-9][0-9 -]{5,23}")
_MOBILE = re.compile(r"(?:\+?86)?(1[0-9]{2})([0-9]{4})([0-9]{4})")


def whole_phone(text: str) -> tuple[str, ...]:
    """Return how this phone may stand where it is kept; nothing of a text that is no whole one.

    Shops write a mobile's number with its country's code and without, in one piece and in groups;
    whoever looks for it knows not how. A part of a phone is none: who could look up parts would
    undo its mask digit by digit.
    """
    phone = unicodedata.normalize("NFKC", text).strip()
    if _PHONE.fullmatch(phone) is None:
        return ()
    plain = phone.replace(" ", "").replace("-", "")
    mobile = _MOBILE.fullmatch(plain)
    forms = () if mobile is None else _written(*mobile.groups())
    return tuple(dict.fromkeys((phone, plain, *forms)))


def _written(*groups: str) -> tuple[str, ...]:
    numbers = [between.join(groups) for between in ("", " ", "-")]
    codes = ("", "86", "+86", "86 ", "+86 ", "86-", "+86-")
    return tuple(code + number for number in numbers for code in codes)


def mask_phone(phone: str) -> str:
    """Keep the first three and the last four digits: 138****8000; short numbers vanish whole."""
    digits = "".join(character for character in phone if character.isdigit())
    if len(digits) < _PHONE_DIGITS:
        return "*" * _STARS_MOST
    return f"{digits[:-8]}****{digits[-4:]}"


def mask_name(name: str) -> str:
    """Keep the first and the last character: 陈*平; of two characters the first: 陈*."""
    name = name.strip()
    if len(name) <= 1:
        return "*" * len(name)
    if len(name) == len("陈平"):
        return f"{name[0]}*"
    return f"{name[0]}{'*' * min(len(name) - 2, _STARS_MOST)}{name[-1]}"


def mask_address(address: str) -> str:
    """Keep province, city and district: 浙江省杭州市西湖区***; anything else vanishes whole."""
    area = _AREA.match("".join(address.split()))
    return f"{area.group() if area else ''}***"
