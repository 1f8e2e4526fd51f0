"""Flagged messages: the evidence that is stored, the alert, and how a recount compares them."""

from datetime import UTC, datetime

import msgspec

from contracts.gateway import WordingHit
from contracts.monitor import WordingFlagged
from kit.ids import derived_id
from services.monitor.fold.measures import Fact, Row
from services.monitor.fold.schemas import Heard
from services.monitor.wording.domain import FlaggedMessage, utc_day
from wording import Speaker, Verdict


def flagged_message(
    fact: Fact, heard: Heard, verdict: Verdict, *, speaker: Speaker, policy_version: str
) -> FlaggedMessage:
    """Return the stored evidence of a flagged message: term, span and category of each hit."""
    return FlaggedMessage(
        message_id=heard.id,
        partition=fact.partition,
        offset=fact.offset,
        shop_id=heard.body.shop_id,
        conversation_id=heard.body.conversation_id,
        sender_id=heard.body.sender_id,
        speaker=speaker.value,
        at_ms=heard.at_ms,
        categories=tuple(sorted({hit.category.value for hit in verdict.hits})),
        hits=msgspec.json.encode(verdict.hits).decode(),
        lexicon_version=verdict.lexicon_version,
        policy_version=policy_version,
    )


def flag_alert(heard: Heard, verdict: Verdict, *, speaker: Speaker) -> WordingFlagged:
    """Return the event that tells of a flagged message; its id is the same for each repeat."""
    return WordingFlagged(
        id=derived_id("wording_flagged", heard.id),
        time=datetime.fromtimestamp(heard.at_ms / 1000, UTC),
        shop_id=heard.body.shop_id,
        conversation_id=heard.body.conversation_id,
        message_id=heard.id,
        sender_id=heard.body.sender_id,
        speaker="agent" if speaker is Speaker.AGENT else "buyer",
        hits=tuple(WordingHit.model_validate(hit, from_attributes=True) for hit in verdict.hits),
        lexicon_version=verdict.lexicon_version,
    )


def flag_row(flag: FlaggedMessage) -> Row:
    """Return a flag as it is compared with what is stored."""
    values = (
        flag.conversation_id, flag.sender_id, flag.speaker, flag.at_ms,
        msgspec.json.decode(flag.hits), flag.lexicon_version, flag.policy_version,
    )  # fmt: skip
    key = flag.message_id, flag.shop_id, flag.offset
    return Row("flags", key, values, flag.offset, day=utc_day(flag.at_ms))
