"""How much a channel is sent in any minute, whatever happens, and what there is always room for."""

import pytest

from services.monitor.channels.buckets import PACES, Bucket, Share
from services.monitor.channels.domain import Kind

pytestmark = pytest.mark.unit

NOON = 1_794_398_400_000
LIMITS = {Kind.DINGTALK: (20, 20), Kind.FEISHU: (100, 5), Kind.WECOM: (20, 20)}
"""What robots take in a minute and in a second."""


def spent(bucket: Bucket, share: Share, *, at: int, most: int = 1_000) -> int:
    number = 0
    while number < most and bucket.room(share, now_ms=at):
        bucket.spend(now_ms=at)
        number += 1
    return number


def test_n42_a_third_is_kept_for_critical_ones_and_one_for_the_digest() -> None:
    bucket = Bucket(PACES[Kind.DINGTALK])

    assert spent(bucket, Share.USUAL, at=NOON) == 11
    assert spent(bucket, Share.CRITICAL, at=NOON) == 6
    assert spent(bucket, Share.DIGEST, at=NOON) == 1
    assert not bucket.room(Share.CRITICAL, now_ms=NOON + 59_999)
    assert bucket.room(Share.USUAL, now_ms=NOON + 60_000)


@pytest.mark.parametrize("kind", LIMITS)
def test_n42_no_minute_and_no_second_ever_holds_more_than_the_robot_takes(kind: Kind) -> None:
    bucket, sent = Bucket(PACES[kind]), []
    for at in range(NOON, NOON + 300_000, 130):
        for share in (Share.CRITICAL, Share.USUAL, Share.DIGEST):
            if bucket.room(share, now_ms=at):
                bucket.spend(now_ms=at)
                sent.append(at)
    a_minute, a_second = LIMITS[kind]
    for first in sent:
        assert sum(1 for at in sent if first <= at < first + 60_000) <= a_minute
        assert sum(1 for at in sent if first <= at < first + 1_000) <= a_second


def test_n42_digests_come_once_a_minute_and_to_feishu_not_when_all_others_send() -> None:
    bucket = Bucket(PACES[Kind.FEISHU])

    assert not bucket.digests(Kind.FEISHU, now_ms=NOON)
    assert not bucket.digests(Kind.FEISHU, now_ms=NOON + 30 * 60_000)
    assert bucket.digests(Kind.DINGTALK, now_ms=NOON)
    later = NOON + 61_000
    assert bucket.digests(Kind.FEISHU, now_ms=later)
    bucket.digested_ms = later
    assert not bucket.digests(Kind.FEISHU, now_ms=later + 59_000)
    assert bucket.digests(Kind.FEISHU, now_ms=later + 60_000)
