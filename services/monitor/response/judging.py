"""Judges settled rounds and sessions under every profile that rules on their day."""

from services.monitor.directory.rules import Rules
from services.monitor.response import scoring
from services.monitor.response.domain import Round, Scored, Session


def judge_round(rules: Rules, ended: Round) -> Scored:
    """Return what a round counts under every profile that reads rounds this way."""
    calendar = rules.directory.calendar(ended.shop_id)
    day = calendar.day(ended.opened_ms)
    moments = scoring.RoundMoments.of(calendar, ended)
    scores = {}
    for reading in ended.readings:
        for profile in rules.book.ruling(reading, day):
            score = scoring.score_round(profile, ended, moments)
            if score is not None:
                scores[profile.name] = score
    return Scored(day, scores)


def judge_session(rules: Rules, settled: Session) -> Scored:
    """Return what a session counts under every profile that reads sessions this way."""
    calendar = rules.directory.calendar(settled.shop_id)
    day = calendar.day(settled.started_ms)
    scores = {}
    for reading in settled.readings:
        for profile in rules.book.ruling(reading, day):
            score = scoring.score_session(profile, calendar, settled)
            if score is not None:
                scores[profile.name] = score
    return Scored(day, scores)
