"""What a settled round or session counts under a rule profile.

Pure. No platform's number stands here: all come with the profile.
"""

from typing import Final, NamedTuple, Self

from profiles import Anchor, Unanswered, WindowBy
from services.monitor.calendar.domain import Calendar
from services.monitor.profiles.domain import Profile
from services.monitor.response.domain import Outcome, Round, Score, Session


class RoundMoments(NamedTuple):
    """What the shop's clock says of a round; read once, used by every profile.

    Whatever ended it after the midnight of its day, it counts as unanswered, as it did at midnight
    (metrics.md; N5).
    """

    midnight_ms: int
    """The end of the day on which the round opened."""
    took_ms: int | None
    """The owner's response time; None: no answer before midnight."""
    is_handed_on: bool
    """Somebody else had it before midnight."""
    is_later_day: bool
    """It opened on a later day than its session."""
    into_day: tuple[int, int, int]
    """Milliseconds after midnight of the opening, the session's start, the turn to a human."""

    @classmethod
    def of(cls, calendar: Calendar, ended: Round) -> Self:
        """Read the clock."""
        midnight = calendar.day_end(ended.opened_ms)
        in_time = ended.closed_ms < midnight
        return cls(
            midnight,
            ended.duration_ms if in_time and ended.outcome is Outcome.ANSWERED else None,
            in_time and ended.outcome is Outcome.TRANSFERRED,
            ended.opened_ms >= calendar.day_end(ended.session_ms),
            (
                calendar.into_day_ms(ended.opened_ms),
                calendar.into_day_ms(ended.session_ms),
                calendar.into_day_ms(ended.to_human_ms),
            ),
        )


def score_round(profile: Profile, ended: Round, moments: RoundMoments) -> Score | None:
    """Return what a round adds under a profile; None if the profile leaves it out."""
    if not _counts(profile, ended, moments):
        return None
    took, cap = moments.took_ms, profile.cap_ms
    if took is not None:
        return Score(
            rounds=1,
            round_ms=took if cap is None or took < cap else cap,
            within=int(took <= profile.within_ms),
            slow=int(took > profile.slow_ms),
        )
    match profile.unanswered:
        case Unanswered.EXCLUDE:
            return Score(unanswered=1)
        case Unanswered.ELAPSED:
            until = min(ended.closed_ms, moments.midnight_ms)
            waited = max(0, until - ended.opened_ms)
            slow = int(waited > profile.slow_ms)
            return Score(rounds=1, unanswered=1, round_ms=waited, slow=slow)
        case Unanswered.CAP:
            return Score(rounds=1, unanswered=1, round_ms=cap or 0, slow=1)


def score_session(profile: Profile, calendar: Calendar, settled: Session) -> Score | None:
    """Return what a session's first response adds; None if the profile leaves the session out."""
    if settled.unstaffed and not profile.leave_messages_count:
        return None
    anchor = settled.to_human_ms if profile.window_by is WindowBy.TO_HUMAN else settled.started_ms
    if not profile.window.holds(calendar.into_day_ms(anchor)):
        return None
    replied = settled.replied_ms
    if replied is None or replied >= calendar.day_end(settled.started_ms):
        return Score(sessions=1)
    since = anchor_ms(profile.anchor, settled)
    if since is None:
        return Score(sessions=1)
    took = max(0, replied - since)
    return Score(
        sessions=1,
        first_responses=1,
        first_response_ms=took,
        first_within=int(took <= profile.first_within_ms),
    )


def anchor_ms(anchor: Anchor, settled: Session) -> int | None:
    """Return from when on the first response is counted; None: that never came."""
    match anchor:
        case Anchor.BUYER_FIRST_MSG:
            return settled.started_ms
        case Anchor.TO_HUMAN:
            return settled.to_human_ms
        case Anchor.ASSIGNED:
            return settled.assigned_ms


def _counts(profile: Profile, ended: Round, moments: RoundMoments) -> bool:
    if ended.unstaffed and not profile.leave_messages_count:
        return False
    if moments.is_handed_on and not profile.transfer_counts:
        return False
    if moments.is_later_day and profile.same_day_only:
        return False
    return profile.window.holds(moments.into_day[_ANCHORS[profile.window_by]])


_ANCHORS: Final = {WindowBy.ROUND_OPEN: 0, WindowBy.SESSION_START: 1, WindowBy.TO_HUMAN: 2}
"""Places in `RoundMoments.into_day`."""
