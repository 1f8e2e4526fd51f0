"""What is said, looked at by the rules of reception: answers, greetings, farewells.

Pure. Must not know what the conversation service tells.
"""

from contracts.people import PersonId
from reception import RuleName
from services.monitor.fold.standing import Voice
from services.monitor.reception.book import SHORT, bare, has
from services.monitor.reception.domain import Found
from services.monitor.reception.sessions import WORST, Moment
from services.monitor.reception.talks import BUYER_LAST, CLOSERS, GREETED, HANDED, YES_NO, Pending


class Speaking(Moment):
    """Somebody speaks."""

    __slots__ = ()

    def buyer(self, words: str) -> None:
        self.contact()
        talk, short = self.talk, bare(words)
        rule, curt, hold = self.book.silence, self.book.curt, self.book.forgotten
        closes = rule is not None and short in rule.closers
        if not talk.wait_ms or (talk.is_so(CLOSERS) and not closes):
            # Behind closing words alone nobody waits: what is asked now is what is waited for.
            talk.wait_ms, talk.wait_offset, talk.asked = self.at_ms, self.offset, 0
            talk.note(CLOSERS, so=closes)
        talk.asked = max(talk.asked, len(words))
        signs = (talk.signs | BUYER_LAST) & ~YES_NO
        asks = curt is not None and has(words, curt.questions)
        talk.signs = signs | YES_NO if asks else signs
        if talk.hold and hold and short in hold.closers:
            talk.hold = None

    def agent(self, agent: PersonId, words: str, voice: Voice) -> None:
        marks = self.book.marks
        if marks and ("?" in words or "？" in words) and marks.shout(words):
            self.contact()
            self.fire(RuleName.MARKS, Pending(agent, self.at_ms, self.offset), marks.severity)
        if voice is Voice.GOODBYE:
            self._goodbye(agent, words)
        if voice is not Voice.OWNED:
            return
        self.contact()
        talk = self.talk
        if talk.curt and talk.curt.agent == agent:
            talk.curt = None
            talk.curt_run = 0
        book, greeting = self.book, self.book.greeting
        # Most messages concern no rule: what cannot be is not asked.
        waited_ms = self._answered(agent, words) if talk.wait_ms else 0
        if greeting and (talk.greet or not talk.spoke or greeting.after_transfer):
            self._greets(agent, words)
        if book.no_apology:
            self._apologises(agent, words, waited_ms)
        talk.spoke += 1
        hold, farewell = book.forgotten, book.farewell
        if hold:
            holds = has(words, hold.holds)
            talk.hold = Pending(agent, self.at_ms, self.offset) if holds else None
        if farewell and has(words, farewell.farewells):
            talk.blessed = talk.spoke
        talk.signs &= ~BUYER_LAST
        talk.wrote_now(agent, self.at_ms)

    def _answered(self, agent: PersonId, words: str) -> int:
        """The owner answers; return how long the buyer waited."""
        book, talk = self.book, self.talk
        waited_ms = self.at_ms - talk.wait_ms
        if book.silence and waited_ms > book.silence.over_ms:
            self.silent(agent, never=False)
        if book.curt and talk.asked >= book.curt.words and len(words) <= SHORT:
            self._answers(agent, words)
        else:
            talk.curt_run = 0
        talk.rounds += 1
        talk.wait_ms = talk.asked = 0
        return waited_ms

    def _answers(self, agent: PersonId, words: str) -> None:
        """Look whether an answer is curt: nothing but a phrase, to words that ask for more."""
        rule, talk = self.book.curt, self.talk
        if rule is None:
            return
        said = rule.said(words) if talk.asked >= rule.words else ""
        spared = not said or (talk.is_so(YES_NO) and said in rule.yes_no)
        if spared or self.cold(self.standing.shop_id, words):
            talk.curt_run = 0
        else:
            talk.curt = Pending(agent, self.at_ms, self.offset)

    def was_curt(self, curt: Pending) -> None:
        rule, talk = self.book.curt, self.talk
        if rule is None:
            return
        talk.curt_run += 1
        told = self.known(RuleName.CURT, curt.agent)
        often = 1 + (told.times if told else 0)
        worse = talk.curt_run >= rule.in_a_row or often >= rule.a_session
        self.fire(RuleName.CURT, curt, min(WORST, rule.severity + worse))

    def _greets(self, agent: PersonId, words: str) -> None:
        """Look whether the first words of an agent greet."""
        rule, talk = self.book.greeting, self.talk
        if rule is None:
            return
        greet = talk.greet
        if greet is None:
            wrote = talk.wrote.get(agent)
            known = wrote is not None and self.at_ms - wrote < rule.known_ms
            handed = talk.is_so(HANDED) or talk.spoke > 0
            if known or talk.is_so(GREETED) or (handed and not rule.after_transfer):
                return
            greet = talk.greet = Pending(agent, self.at_ms, self.offset)
        elif greet.agent != agent:
            return
        greet.count += 1
        if has(words, rule.greetings):
            talk.greet = None
        elif greet.count >= rule.messages:
            self.fire(RuleName.GREETING, greet, rule.severity)
            talk.greet = None

    def _apologises(self, agent: PersonId, words: str, waited_ms: int) -> None:
        rule, talk = self.book.no_apology, self.talk
        if rule is None:
            return
        if waited_ms > rule.over_ms and not talk.is_so(CLOSERS):
            talk.sorry = Pending(agent, self.at_ms, self.offset)
        sorry = talk.sorry
        if sorry is None or sorry.agent != agent:
            return
        sorry.count += 1
        if has(words, rule.apologies):
            talk.sorry = None
        elif sorry.count >= rule.messages:
            self.fire(RuleName.NO_APOLOGY, sorry, rule.severity)
            talk.sorry = None

    def _goodbye(self, agent: PersonId, words: str) -> None:
        """A farewell right behind the close is one."""
        rule, talk, bye = self.book.farewell, self.talk, self.talk.bye
        if rule is None or bye is None or bye.agent != agent:
            return
        told = self.known(RuleName.FAREWELL, agent)
        if self.at_ms - bye.at_ms > rule.within_ms or not has(words, rule.farewells):
            return
        talk.bye = None
        if told is not None:
            told.times -= 1
            last = told.times == 0
            if last:
                talk.told.remove(told)
            self.tell(told, Found(-told.severity if last else 0, -1, 0, ()))

    def auto(self, words: str) -> None:
        """The shop greets by itself."""
        rule = self.book.greeting
        if rule is not None and rule.auto_greets and has(words.lower(), rule.greetings):
            self.contact()
            self.talk.note(GREETED)
