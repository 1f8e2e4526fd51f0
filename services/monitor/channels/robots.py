"""What each kind of channel is sent, and what its answers mean (N41). Pure.

A robot answers 200 to everything and says in the body what became of it: the body decides.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets as randomness
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

from kit.outgoing import Answer
from services.monitor.channels.domain import (
    Again,
    Broken,
    Channel,
    Delivery,
    Kind,
    Mentions,
    Outcome,
    Request,
    Secrets,
    Sent,
)
from services.monitor.channels.texts import Text, joined

HOSTS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.DINGTALK: frozenset({"oapi.dingtalk.com"}),
    Kind.FEISHU: frozenset({"open.feishu.cn", "open.larksuite.com"}),
    Kind.WECOM: frozenset({"qyapi.weixin.qq.com"}),
}
"""Where robots of a kind live; a webhook may be anybody's."""

SIGNED: Final = frozenset({Kind.DINGTALK, Kind.FEISHU, Kind.WEBHOOK})
"""Kinds that have a secret beside the address."""

WHSEC: Final = "whsec_"
SECRET_BYTES: Final = (24, 64)

_LIMITS: Final = {Kind.DINGTALK: 18_000, Kind.FEISHU: 12_000, Kind.WECOM: 4_096}
_CODE_CHARS: Final = 40
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """The codes of a robot: where its answer has one, what to wait after, what breaks it."""

    fields: tuple[str, ...]
    rest_ms: int
    waits: frozenset[int]
    breaks: frozenset[int]


_MEANINGS: Final = {
    Kind.DINGTALK: Meaning(
        ("errcode",), 600_000, frozenset({130101, 90030, 429}), frozenset({310000, 300001})
    ),
    Kind.FEISHU: Meaning(
        ("code", "StatusCode"), 60_000, frozenset({11232, 429}), frozenset({19021, 19022, 19024})
    ),
    Kind.WECOM: Meaning(("errcode",), 60_000, frozenset({45009}), frozenset({93000, 40008})),
}
_WEBHOOK_REST_MOST_MS: Final = 3_600_000


def new_secret() -> str:
    """Return a secret for a webhook, as Standard Webhooks spells it."""
    return WHSEC + base64.b64encode(randomness.token_bytes(32)).decode()


def usable_secret(kind: Kind, secret: str) -> bool:
    """Tell whether a kind can sign with it."""
    if kind is not Kind.WEBHOOK:
        return kind in SIGNED
    try:
        raw = base64.b64decode(secret.removeprefix(WHSEC), validate=True)
    except (binascii.Error, ValueError):
        return False
    return secret.startswith(WHSEC) and SECRET_BYTES[0] <= len(raw) <= SECRET_BYTES[1]


def masked(url: str) -> str:
    """Return as much of an address as may be shown: its host, and the last of what is secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…{url[-4:]}"


def request(channel: Channel, delivery: Delivery, text: Text, *, now_ms: int) -> Request:
    """Return what is posted for a delivery, signed as of now."""
    secrets, mentions = channel.secrets, channel.mentions if text.is_loud else Mentions()
    match channel.kind:
        case Kind.DINGTALK:
            return _dingtalk(secrets, text, mentions, now_ms=now_ms)
        case Kind.FEISHU:
            return _feishu(secrets, text, mentions, now_ms=now_ms)
        case Kind.WECOM:
            return _wecom(secrets, text, mentions)
        case Kind.WEBHOOK:
            return _webhook(secrets, delivery, text, now_ms=now_ms)


def outcome(kind: Kind, answer: Answer) -> Outcome:
    """Return what an answer means."""
    return _of_webhook(answer) if kind is Kind.WEBHOOK else _of_robot(_MEANINGS[kind], answer)


def _dingtalk(secrets: Secrets, text: Text, mentions: Mentions, *, now_ms: int) -> Request:
    url = secrets.url
    if secrets.secret is not None:
        sign = _hmac(secrets.secret.encode(), f"{now_ms}\n{secrets.secret}".encode())
        url += f"{'&' if '?' in url else '?'}timestamp={now_ms}&sign={quote(sign, safe='')}"
    called = " ".join(f"@{one}" for one in mentions.people)
    lines = _linked(text, "[{text}]({link})")
    shown = joined(
        f"#### {text.title}",
        (*lines, called) if called else lines,
        limit=_LIMITS[Kind.DINGTALK],
        between="\n\n",
    )
    body = {
        "msgtype": "markdown",
        "markdown": {"title": text.title, "text": shown},
        "at": {"atMobiles": list(mentions.people), "isAtAll": mentions.everybody},
    }
    return Request(url, _dumped(body), _JSON)


def _feishu(secrets: Secrets, text: Text, mentions: Mentions, *, now_ms: int) -> Request:
    called = [f"<at id={one}></at>" for one in mentions.people]
    called += ["<at id=all></at>"] if mentions.everybody else []
    first, *lines = (*_linked(text, "[{text}]({link})"), *called) or ("",)
    card = {
        "header": {"title": {"tag": "plain_text", "content": text.title}},
        "elements": [
            {
                "tag": "div",
                "text": {
                    "tag": "lark_md",
                    "content": joined(first, lines, limit=_LIMITS[Kind.FEISHU]),
                },
            }
        ],
    }
    body: dict[str, Any] = {"msg_type": "interactive", "card": card}
    if secrets.secret is not None:
        second = now_ms // 1000
        sign = _hmac(f"{second}\n{secrets.secret}".encode(), b"")
        body |= {"timestamp": str(second), "sign": sign}
    return Request(secrets.url, _dumped(body), _JSON)


def _wecom(secrets: Secrets, text: Text, mentions: Mentions) -> Request:
    called = " ".join(f"<@{one}>" for one in mentions.people)
    lines = _linked(text, "[{text}]({link})")
    content = joined(
        f"**{text.title}**",
        (called, *lines) if called else lines,
        limit=_LIMITS[Kind.WECOM],
    )
    body = {"msgtype": "markdown", "markdown": {"content": content}}
    return Request(secrets.url, _dumped(body), _JSON)


def _webhook(secrets: Secrets, delivery: Delivery, text: Text, *, now_ms: int) -> Request:
    second = now_ms // 1000
    data = {
        "delivery_id": delivery.id,
        "shop_id": delivery.shop_id,
        "step": delivery.step.value,
        "level": delivery.level.value,
        "attempt": delivery.attempt,
        "title": text.title,
        "lines": list(text.lines),
        "link": text.link,
    }
    body = _dumped({"type": "monitor.alert", "timestamp": second, "data": data})
    key = base64.b64decode((secrets.secret or "").removeprefix(WHSEC))
    signed = f"{delivery.id}.{second}.".encode() + body
    headers = {
        **_JSON,
        "webhook-id": delivery.id,
        "webhook-timestamp": str(second),
        "webhook-signature": f"v1,{_hmac(key, signed)}",
    }
    return Request(secrets.url, body, headers)


def _of_robot(meaning: Meaning, answer: Answer) -> Outcome:
    code = _code(answer.body, meaning.fields)
    if code is None:
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return Again(str(answer.status), meaning.rest_ms)
        # A 200 whose body says nothing may have been taken.
        return Again(str(answer.status), unknown=answer.status == HTTPStatus.OK)
    if code == 0:
        # Robots say so with 200: another status is somebody else's, who stands before it.
        return Sent("0") if answer.status == HTTPStatus.OK else Again(str(answer.status))
    if code in meaning.breaks:
        return Broken(str(code))
    return Again(str(code), meaning.rest_ms if code in meaning.waits else None)


def _of_webhook(answer: Answer) -> Outcome:
    code = str(answer.status)
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Sent(code)
    if answer.status == HTTPStatus.GONE:
        return Broken(code)
    is_busy = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    if is_busy or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        asked = answer.headers.get("retry-after", "")
        seconds = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0  # noqa: PLR2004 - a day and more is none
        return Again(code, min(seconds * 1000, _WEBHOOK_REST_MOST_MS) or None)
    return Again(code)


def _code(body: bytes, names: Sequence[str]) -> int | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    for name in names:
        code = told.get(name)
        if isinstance(code, int) and not isinstance(code, bool) and len(str(code)) <= _CODE_CHARS:
            return code
    return None


def _linked(text: Text, form: str) -> tuple[str, ...]:
    if not text.link:
        return text.lines
    return (*text.lines, form.format(text=text.link_text, link=text.link))


def _hmac(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()


def _dumped(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
