"""Who of staff looks at a conversation right now, shown to staff who have it open (F7).

Lossy: who goes without a word is forgotten after a while. Agents are shown no leader, or being
watched unseen would be a lie. Must not know sends, nor how a stream is joined.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import contracts
from contracts.gateway import StaffSignal
from contracts.people import WATCHING_STAFF, PersonId
from contracts.topics import SIGNALS
from kit.bus.ports import Record
from kit.clock import Clock
from services.gateway.channels import Hearers
from services.gateway.frames import server
from services.gateway.hub import ConversationSubscription, Directory
from services.gateway.hub.conversations import Conversation, SubscriptionState

FOR_S: Final = 30.0
"""So long somebody looks who says nothing more of it."""

EVERY_S: Final = 5.0
"""How often is looked for those whose time is over."""

SHOWN: Final = 32
"""People who are shown to look at one conversation at most; more of them are not."""

_KIND: Final = StaffSignal.type.encode()
_KEY: Final = b"viewers"


class Viewers:
    """By conversation who looks, and until when; of those alone that staff have open here."""

    def __init__(
        self, watched: Mapping[bytes, Conversation], directory: Directory, clock: Clock
    ) -> None:
        self._watched = watched
        self._directory = directory
        self._clock = clock
        self._looking: dict[bytes, dict[PersonId, float]] = {}

    def __len__(self) -> int:
        return len(self._looking)

    def hears(self) -> Hearers:
        """Return that looking comes as a signal."""
        return {SIGNALS: self.hear}

    def hear(self, record: Record) -> None:
        """Take note of somebody who looks, or does no more, and show it where that is news."""
        conversation = self._watched.get(record.key or b"")
        if conversation is None or record.header("ce_type") != _KIND:
            return
        event = contracts.decode(record)
        if not isinstance(event, StaffSignal) or event.signal != "viewing":
            return
        screens = list(_staff(conversation))
        if not screens:
            return
        looking = self._looking.setdefault(conversation.key, {})
        was_known, person = event.person_id in looking, event.person_id
        if event.on and (was_known or len(looking) < SHOWN):
            looking[person] = self._clock.monotonic() + FOR_S
        else:
            looking.pop(person, None)
        if was_known != (person in looking):
            self._show(conversation, screens)
        else:
            # Whoever came anew is told with his own word how things stand.
            self._show(conversation, [one for one in screens if _is_of(one, person)])
        if not looking:
            del self._looking[conversation.key]

    async def expire(self) -> None:
        """Forget who said nothing more, and what nobody has open any more."""
        now = self._clock.monotonic()
        for key, looking in list(self._looking.items()):
            conversation = self._watched.get(key)
            over = [person for person, until in looking.items() if until <= now]
            for person in over:
                del looking[person]
            if conversation is not None and over:
                self._show(conversation, _staff(conversation))
            if not looking or conversation is None:
                del self._looking[key]

    def _show(
        self, conversation: Conversation, screens: Iterable[ConversationSubscription]
    ) -> None:
        frames: dict[bool, bytes] = {}
        for screen in screens:
            leads = screen.socket.person.role in WATCHING_STAFF
            frame = frames.get(leads)
            if frame is None:
                shown = self._shown(conversation.key, to_leaders=leads)
                frame = frames[leads] = server.patch(conversation.s, shown, key=_KEY)
            screen.socket.patch(conversation.s, frame, key=_KEY)

    def _shown(self, key: bytes, *, to_leaders: bool) -> bytes:
        found = []
        for person in self._looking.get(key, ()):
            listed = self._directory.person(person)
            # Of whom nobody knows what he is, agents are told nothing.
            leads = listed is None or listed.role in WATCHING_STAFF
            if to_leaders or not leads:
                found.append({"id": person, "name": "" if listed is None else listed.name})
        return server.json({"viewers": found})


def _staff(conversation: Conversation) -> Iterable[ConversationSubscription]:
    for one in conversation.subscriptions:
        if one.may_note and one.state is SubscriptionState.LIVE:
            yield one


def _is_of(screen: ConversationSubscription, person: PersonId) -> bool:
    return screen.socket.person.subject == person
