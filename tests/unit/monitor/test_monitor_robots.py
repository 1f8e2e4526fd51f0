"""What each kind of channel is sent, and what each of its answers means."""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from standardwebhooks import Webhook

from contracts.people import ShopId
from kit.outgoing import Answer
from services.monitor.channels.domain import (
    Again,
    Broken,
    Channel,
    ChannelState,
    Delivery,
    Digest,
    Kind,
    Language,
    Level,
    Mentions,
    Notice,
    Outcome,
    Secrets,
    Sent,
    Step,
    Tally,
)
from services.monitor.channels.robots import (
    masked,
    new_secret,
    outcome,
    request,
    usable_secret,
)
from services.monitor.channels.texts import Place, cut, joined, plain, written

pytestmark = pytest.mark.unit

AT = 1_794_398_400_000
PLACE = Place("小店", ZoneInfo("Asia/Shanghai"), "https://desk.example/")
TITLE = {"zh": "买家等待过久", "en": "A buyer waits too long"}
NOTICE = Notice(
    "buyer_waits", TITLE, Level.CRITICAL, Step.OPENED, AT, value=180, unit="s", agent="安妮",
    path="/desk/c1",
)  # fmt: skip
MENTIONS = Mentions(("13800000000",), everybody=True)


def channel(kind: Kind, url: str = "https://robots.example/x", **more: Any) -> Channel:
    secret = more.pop("secret", "SEC1")
    return Channel(
        "ch1", ShopId("s1"), kind, more.pop("language", Language.ZH),
        more.pop("mentions", Mentions()), more.pop("names", False), ChannelState.ON,
        Secrets(url, secret),
    )  # fmt: skip


def posted(to: Channel, told: Notice | Digest = NOTICE, attempt: int = 1) -> Any:
    step = told.step if isinstance(told, Notice) else Step.DIGEST
    delivery = Delivery(
        "d1", to.shop_id, to.id, step, told.level, told.stored(), attempt, attempt > 1, AT
    )
    text = written(delivery.told, PLACE, language=to.language, names=to.names, attempt=attempt)
    return request(to, delivery, text, now_ms=AT)


def test_n41_dingtalk_is_signed_in_its_address() -> None:
    found = posted(channel(Kind.DINGTALK, "https://oapi.dingtalk.com/robot/send?access_token=1"))

    address, _, sign = found.url.partition("&sign=")
    assert address.endswith(f"?access_token=1&timestamp={AT}")
    assert "+" not in sign
    assert "/" not in sign
    body = json.loads(found.body)
    assert body["msgtype"] == "markdown"
    assert body["at"] == {"atMobiles": [], "isAtAll": False}
    assert "[打开控制台](https://desk.example/desk/c1)" in body["markdown"]["text"]


def test_n41_feishu_is_signed_in_its_body() -> None:
    body = json.loads(posted(channel(Kind.FEISHU)).body)

    assert body["timestamp"] == str(AT // 1000)
    assert len(base64.b64decode(body["sign"])) == 32
    assert body["msg_type"] == "interactive"


def test_n41_wecom_has_no_signature_and_never_more_than_4096_bytes() -> None:
    many = tuple(Tally(f"r{n}", {"zh": "很长的名字" * 12}, Level.WARN, n) for n in range(200))
    found = posted(channel(Kind.WECOM, secret=None), Digest(AT, many, (NOTICE,) * 5))

    assert "sign" not in found.url
    content = json.loads(found.body)["markdown"]["content"]
    assert len(content.encode()) <= 4_096


def test_n41_a_webhook_is_verified_by_the_library_of_its_receiver() -> None:
    secret = new_secret()
    found = posted(channel(Kind.WEBHOOK, secret=secret))
    now = {**found.headers}

    told = json.loads(found.body)
    assert now["webhook-id"] == told["data"]["delivery_id"] == "d1"
    signature = Webhook(secret).sign(
        "d1", datetime.fromtimestamp(AT / 1000, UTC), found.body.decode()
    )
    assert signature == now["webhook-signature"]


def test_n41_people_are_called_when_it_is_critical_and_not_when_it_is_over() -> None:
    to = channel(Kind.DINGTALK, mentions=MENTIONS)
    over = Notice("buyer_waits", TITLE, Level.CRITICAL, Step.RESOLVED, AT)

    assert json.loads(posted(to).body)["at"] == {"atMobiles": ["13800000000"], "isAtAll": True}
    assert json.loads(posted(to, over).body)["at"] == {"atMobiles": [], "isAtAll": False}
    feishu = json.loads(posted(channel(Kind.FEISHU, mentions=MENTIONS)).body)
    assert "<at id=all></at>" in json.dumps(feishu, ensure_ascii=False)
    wecom = json.loads(posted(channel(Kind.WECOM, mentions=MENTIONS, secret=None)).body)
    assert "<@13800000000>" in wecom["markdown"]["content"]


def test_n41_agents_are_named_only_where_the_channel_says_so() -> None:
    assert "安妮" not in posted(channel(Kind.WECOM, secret=None)).body.decode()
    assert "安妮" in posted(channel(Kind.WECOM, secret=None, names=True)).body.decode()


def test_n41_a_second_attempt_says_that_the_first_may_have_come() -> None:
    assert "第 2 次发送" in posted(channel(Kind.FEISHU), attempt=2).body.decode()
    english = channel(Kind.FEISHU, language=Language.EN)
    assert "[Critical] A buyer waits too long: happened" in posted(english).body.decode()


def test_n41_what_people_named_is_shown_as_text() -> None:
    tricky = "<@all> [点我](https://evil.example) **#x**\n\u202e`y`"

    assert plain(tricky) == "＜＠all＞ ［点我］（https://evil.example） ＊＊＃x＊＊ ｀y｀"
    assert len(plain("长" * 500)) == 60


@pytest.mark.parametrize(
    ("kind", "status", "body", "meaning"),
    [
        (Kind.DINGTALK, 200, {"errcode": 0}, Sent("0")),
        (Kind.DINGTALK, 200, {"errcode": 130101}, Again("130101", 600_000)),
        (Kind.DINGTALK, 200, {"errcode": 90030}, Again("90030", 600_000)),
        (Kind.DINGTALK, 200, {"errcode": 429}, Again("429", 600_000)),
        (Kind.DINGTALK, 429, "busy", Again("429", 600_000)),
        (Kind.DINGTALK, 200, {"errcode": 310000}, Broken("310000")),
        (Kind.DINGTALK, 200, {"errcode": 300001}, Broken("300001")),
        (Kind.DINGTALK, 200, {"errcode": -1}, Again("-1")),
        (Kind.FEISHU, 200, {"code": 0}, Sent("0")),
        (Kind.FEISHU, 200, {"StatusCode": 0}, Sent("0")),
        (Kind.FEISHU, 400, {"code": 11232}, Again("11232", 60_000)),
        (Kind.FEISHU, 429, "", Again("429", 60_000)),
        (Kind.FEISHU, 400, {"code": 19021}, Broken("19021")),
        (Kind.FEISHU, 400, {"code": 19022}, Broken("19022")),
        (Kind.FEISHU, 400, {"code": 19024}, Broken("19024")),
        (Kind.FEISHU, 500, {"code": 9499}, Again("9499")),
        (Kind.WECOM, 200, {"errcode": 0}, Sent("0")),
        (Kind.WECOM, 200, {"errcode": 45009}, Again("45009", 60_000)),
        (Kind.WECOM, 200, {"errcode": 93000}, Broken("93000")),
        (Kind.WECOM, 200, {"errcode": 40008}, Broken("40008")),
        (Kind.WECOM, 502, "<html>", Again("502")),
        (Kind.WECOM, 302, {"errcode": 0}, Again("302")),
        (Kind.FEISHU, 500, {"code": 0}, Again("500")),
        (Kind.WECOM, 200, "[]", Again("200", unknown=True)),
        (Kind.WECOM, 200, {"errcode": True}, Again("200", unknown=True)),
        (Kind.WECOM, 302, "", Again("302")),
        (Kind.WEBHOOK, 204, "", Sent("204")),
        (Kind.WEBHOOK, 410, "", Broken("410")),
        (Kind.WEBHOOK, 429, "", Again("429")),
        (Kind.WEBHOOK, 503, "", Again("503")),
        (Kind.WEBHOOK, 302, "", Again("302")),
        (Kind.WEBHOOK, 404, "", Again("404")),
    ],
)
def test_n41_what_an_answer_means(kind: Kind, status: int, body: Any, meaning: Outcome) -> None:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()

    assert outcome(kind, Answer(status, {}, raw)) == meaning


def test_n41_a_webhook_may_say_how_long_it_wants_to_be_left_alone() -> None:
    def asked(value: str) -> Outcome:
        return outcome(Kind.WEBHOOK, Answer(503, {"retry-after": value}, b""))

    assert asked("120") == Again("503", 120_000)
    assert asked("99999") == Again("503", 3_600_000)
    for nonsense in ("-1", "soon", "9" * 400, "²"):
        assert asked(nonsense) == Again("503")


@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b"\xff", b"null", b'"0"', b'{"errcode": ' + b"9" * 5_000 + b"}"]
)
def test_n41_nonsense_of_a_robot_is_no_answer(body: bytes) -> None:
    found = outcome(Kind.DINGTALK, Answer(200, {}, body))

    assert isinstance(found, Again)


def test_n41_secrets_fit_their_kind_and_addresses_are_shown_in_part() -> None:
    assert usable_secret(Kind.WEBHOOK, new_secret())
    assert usable_secret(Kind.DINGTALK, "SEC1")
    for kind, secret in (
        (Kind.WECOM, "x"), (Kind.WEBHOOK, "x"), (Kind.WEBHOOK, "whsec_eA=="),
        (Kind.WEBHOOK, "whsec_ä"),
    ):  # fmt: skip
        assert not usable_secret(kind, secret)
    assert masked("https://oapi.dingtalk.com/robot/send?access_token=secret1a2b") == (
        "https://oapi.dingtalk.com/…1a2b"
    )


@pytest.mark.parametrize("after", ["?key=secret1a2b", ":443?key=secret1a2b", "?a=/secret1a2b"])
def test_an_address_without_a_path_shows_no_more_of_itself(after: str) -> None:
    shown = masked(f"https://hooks.example.com{after}")
    assert shown.startswith("https://hooks.example.com")
    assert shown.endswith("/…1a2b")
    assert "secret" not in shown


def test_a_text_is_cut_between_characters_and_lines() -> None:
    assert cut("等待", 4) == "等"
    assert joined("题", ["一行", "二行"], limit=10) == "题\n一行"


def test_notices_and_digests_read_what_they_stored() -> None:
    digest = Digest(AT, (Tally("buyer_waits", TITLE, Level.CRITICAL, 7),), (NOTICE,))

    assert Notice.of(json.loads(json.dumps(NOTICE.stored() | {"newer": 1}))) == NOTICE
    assert Digest.of(json.loads(json.dumps(digest.stored()))) == digest
