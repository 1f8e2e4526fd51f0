"""The wording gate: what an agent writes is judged before it can reach a buyer (H14).

Knows the shop's policy and the engine; must not know sockets or how an incident is stored.
"""

import hmac
from collections import OrderedDict
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal, NamedTuple, Protocol

from contracts.gateway import MessageHeld, WordingConfirmed, WordingHit, cleared
from contracts.people import ConversationId, MessageId, PersonId, ShopId
from kit.errors import AppError
from kit.ids import derived_id
from services.gateway.frames.refusals import BlockedByPolicy, ConfirmFirst
from services.gateway.hub import Directory
from wording import HOUSE, Action, Policy, Speaker, Verdict, policy_of

POLICIES: Final = 1_000
"""Shops whose policy is kept ready; the one unused longest is built again when it is needed."""

HITS_SHOWN: Final = 20
"""Findings shown to the agent and kept as evidence."""


class Judge(Protocol):
    """What of `wording.Engine` is used here."""

    def check(self, text: str, *, speaker: Speaker, policy: Policy) -> Verdict:
        """Judge one message."""


class Lexicon(Protocol):
    """What of `wording.LiveEngine` is used here: the engine that holds now."""

    @property
    def current(self) -> Judge: ...


class Blocked(NamedTuple):
    """A message that must not pass: the incident to leave first, and the answer after it."""

    incident: MessageHeld
    answer: AppError


class Passed(NamedTuple):
    """A message that may pass, with what the agent should know."""

    warnings: tuple[WordingHit, ...] = ()
    confirmed: WordingConfirmed | None = None
    """What the log of incidents must have before the message is said: that it is meant, and why."""
    cleared: bytes | None = None
    """Nothing was found in its words: by which rules, as the record's header says it."""


class GateInput(NamedTuple):
    """Whose words are judged, and which message they are of."""

    shop_id: ShopId
    conversation_id: ConversationId
    agent_id: PersonId
    client_id: str
    message_id: str
    body_hash: str
    words: str
    confirm: str | None
    reason: str | None = None


class Gate:
    """Judges agents' words by the engine, the shop's policy and an earlier confirmation.

    A note's words are not judged; `takes_notes` tells whether there may be any.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        directory: Directory,
        secret: bytes,
        *,
        takes_notes: bool = True,
    ) -> None:
        self.takes_notes = takes_notes
        self._lexicon = lexicon
        self._directory = directory
        self._key = hmac.digest(secret, b"peakdesk wording confirm", sha256)
        self._policies: OrderedDict[ShopId, tuple[int, Policy]] = OrderedDict()

    def judge(self, message: GateInput, now: datetime) -> Passed | Blocked:
        """Return whether the message may pass."""
        if not message.words:
            return Passed()
        policy = self._policy(message.shop_id)
        verdict = self._lexicon.current.check(message.words, speaker=Speaker.AGENT, policy=policy)
        if verdict.action is Action.BLOCK:
            return self._blocked(message, verdict, policy=policy, now=now)
        if verdict.action is Action.CONFIRM:
            signature = self._signature(message, verdict.lexicon_version)
            if message.confirm is None or not hmac.compare_digest(
                signature, message.confirm.encode()
            ):
                return self._blocked(message, verdict, policy=policy, now=now)
            return Passed(_hits(verdict), confirmed=_confirmed(message, verdict, now=now))
        if not verdict.hits:  # one that is allowed or logged is a finding, too
            return Passed(cleared=cleared(verdict.lexicon_version, policy.version))
        return Passed(_hits(verdict) if verdict.action is Action.WARN else ())

    def _blocked(
        self, message: GateInput, verdict: Verdict, *, policy: Policy, now: datetime
    ) -> Blocked:
        action: Literal["block", "confirm"] = (
            "block" if verdict.action is Action.BLOCK else "confirm"
        )
        hits = _hits(verdict)
        incident = MessageHeld(
            id=_incident_id(message, verdict.lexicon_version),
            time=now,
            shop_id=message.shop_id,
            conversation_id=message.conversation_id,
            agent_id=message.agent_id,
            client_id=message.client_id,
            action=action,
            text=message.words,
            hits=hits,
            lexicon_version=verdict.lexicon_version,
            policy_version=policy.version,
        )
        shown = [hit.model_dump(mode="json") for hit in hits]
        if action == "block":
            held = BlockedByPolicy("Say it differently.", hits=shown, incident_id=incident.id)
            return Blocked(incident, held)
        signature = self._signature(message, verdict.lexicon_version).decode()
        question = "Send it again with `confirm` if you mean it."
        answer = ConfirmFirst(question, hits=shown, confirm=signature, incident_id=incident.id)
        return Blocked(incident, answer)

    def _signature(self, message: GateInput, lexicon_version: str) -> bytes:
        text = f"{message.message_id}\n{message.body_hash}\n{lexicon_version}"
        return hmac.digest(self._key, text.encode(), sha256).hex().encode()

    def _policy(self, shop_id: ShopId) -> Policy:
        shop = self._directory.shop(shop_id)
        if shop is None:
            return HOUSE
        known = self._policies.get(shop_id)
        if known is None or known[0] != shop.version:
            known = self._policies[shop_id] = (shop.version, policy_of(shop))
            if len(self._policies) > POLICIES:
                self._policies.popitem(last=False)
        self._policies.move_to_end(shop_id)
        return known[1]


def _incident_id(message: GateInput, lexicon_version: str) -> str:
    """The same words judged by the same lexicon are one incident, however often sent."""
    return derived_id("held", message.message_id, message.body_hash, lexicon_version)


def _confirmed(message: GateInput, verdict: Verdict, *, now: datetime) -> WordingConfirmed:
    return WordingConfirmed(
        # One message is meant once, whatever reason a resend gives: the first one stands.
        id=derived_id("confirmed", message.message_id),
        time=now,
        shop_id=message.shop_id,
        message_id=MessageId(message.message_id),
        incident_id=_incident_id(message, verdict.lexicon_version),
        conversation_id=message.conversation_id,
        agent_id=message.agent_id,
        reason=message.reason,
        hits=_hits(verdict),
        lexicon_version=verdict.lexicon_version,
    )


def _hits(verdict: Verdict) -> tuple[WordingHit, ...]:
    return tuple(
        WordingHit(
            category=hit.category,
            severity=hit.severity,
            term_id=hit.term_id,
            start=hit.start,
            end=hit.end,
            surface=hit.surface,
            normalised=hit.normalised,
            why=hit.why,
            action=hit.action,
        )
        for hit in verdict.hits[:HITS_SHOWN]
    )
