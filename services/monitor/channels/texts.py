"""What a channel reads (N41): rule, shop, group, counts, link. In Chinese or English. Pure.

Never a buyer, never a word of a chat. What people named (rules, shops, groups) is shown as text:
signs that a robot would take for a link, a mention or a heading are made harmless.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.monitor.channels.domain import Digest, Language, Level, Notice, Step

_NAME_CHARS: Final = 60
_HARMLESS: Final = str.maketrans("<>@[]()*`#_~|!\\&", "＜＞＠［］（）＊｀＃＿～｜！＼＆")

_LEVELS: Final = {
    Language.ZH: {Level.INFO: "提示", Level.WARN: "注意", Level.CRITICAL: "严重"},
    Language.EN: {Level.INFO: "Info", Level.WARN: "Warning", Level.CRITICAL: "Critical"},
}
_STEPS: Final = {
    Language.ZH: {
        Step.OPENED: "发生",
        Step.RAISED: "升级",
        Step.REPEATED: "仍在发生",
        Step.ESCALATED: "一直没人处理",
        Step.RESOLVED: "已恢复",
        Step.TEST: "测试消息",
    },
    Language.EN: {
        Step.OPENED: "happened",
        Step.RAISED: "got worse",
        Step.REPEATED: "still happening",
        Step.ESCALATED: "nobody has taken care of it",
        Step.RESOLVED: "is over",
        Step.TEST: "a test",
    },
}
_WORDS: Final = {
    Language.ZH: {
        "shop": "店铺：{name}",
        "group": "客服组：{name}",
        "agent": "客服：{name}",
        "value_s": "已达：{value} 秒",
        "value": "当前值：{value}",
        "count": "次数：{count}（自 {since} 起）",
        "at": "时间：{at}",
        "open": "打开控制台",
        "again": "（第 {number} 次发送：上一次不知道是否送达）",
        "digest": "【{level}】{count} 条告警（合并）",
        "tally": "{level} · {title}：{count} 条",
        "worst": "其中最要紧的：",
    },
    Language.EN: {
        "shop": "Shop: {name}",
        "group": "Group: {name}",
        "agent": "Agent: {name}",
        "value_s": "Reached: {value} s",
        "value": "Now: {value}",
        "count": "Times: {count} (since {since})",
        "at": "At: {at}",
        "open": "Open the console",
        "again": "(Sent for the {number}. time: whether the last one arrived is not known)",
        "digest": "[{level}] {count} alerts in one",
        "tally": "{level} · {title}: {count}",
        "worst": "The worst of them:",
    },
}


@dataclass(frozen=True, slots=True)
class Place:
    """Of which shop, in whose time, and where its console is; empty where that is not known."""

    shop: str
    zone: ZoneInfo
    console: str


@dataclass(frozen=True, slots=True)
class Text:
    """A message before a robot's own form."""

    title: str
    lines: tuple[str, ...]
    link: str
    link_text: str
    is_loud: bool
    """People may be called by name."""


def plain(name: str) -> str:
    """Return what somebody named on one line, with nothing in it that a robot would act on."""
    kept = "".join(" " if unicodedata.category(one) in _UNSEEN else one for one in name)
    return " ".join(kept.split())[:_NAME_CHARS].translate(_HARMLESS)


def written(
    told: Notice | Digest, place: Place, *, language: Language, names: bool, attempt: int = 1
) -> Text:
    """Write a notice or a digest. `attempt` above 1: an earlier one may have arrived."""
    words = _WORDS[language]
    again = (words["again"].format(number=attempt),) if attempt > 1 else ()
    if isinstance(told, Digest):
        text, path = _digest(told, place, language), "/board"
    else:
        text, path = _notice(told, place, language=language, names=names), told.path
    title, lines, is_loud = text
    link = f"{place.console.rstrip('/')}{path}" if place.console else ""
    return Text(title, (*lines, *again), link, words["open"], is_loud)


def _notice(
    told: Notice, place: Place, *, language: Language, names: bool
) -> tuple[str, tuple[str, ...], bool]:
    words = _WORDS[language]
    lines = [words["shop"].format(name=plain(place.shop))] if place.shop else []
    if told.group:
        lines.append(words["group"].format(name=plain(told.group)))
    if told.agent and names:
        lines.append(words["agent"].format(name=plain(told.agent)))
    if told.value is not None:
        lines.append(words["value_s" if told.unit == "s" else "value"].format(value=told.value))
    if told.count > 1 and told.opened_ms is not None:
        since = _clock(told.opened_ms, place.zone)
        lines.append(words["count"].format(count=told.count, since=since))
    lines.append(words["at"].format(at=_clock(told.at_ms, place.zone)))
    is_loud = told.step is Step.ESCALATED or (
        told.level is Level.CRITICAL and told.step in {Step.OPENED, Step.RAISED}
    )
    return _headline(told, language), tuple(lines), is_loud


def _digest(told: Digest, place: Place, language: Language) -> tuple[str, tuple[str, ...], bool]:
    words, level = _WORDS[language], _LEVELS[language]
    tallies = sorted(told.tallies, key=lambda one: (-one.level.rank, -one.number, one.rule))
    lines = [words["shop"].format(name=plain(place.shop))] if place.shop else []
    for one in tallies:
        title = _title(one.title, one.rule, language)
        lines.append(words["tally"].format(level=level[one.level], title=title, count=one.number))
    if told.worst:
        lines.append(words["worst"])
        lines += [
            f"{_clock(one.at_ms, place.zone)} {_headline(one, language)}" for one in told.worst
        ]
    title = words["digest"].format(level=level[told.level], count=told.count)
    return title, tuple(lines), told.level is Level.CRITICAL


def _headline(told: Notice, language: Language) -> str:
    level, step = _LEVELS[language][told.level], _STEPS[language][told.step]
    title = _title(told.title, told.rule, language)
    return (
        f"【{level}】{title} · {step}" if language is Language.ZH else f"[{level}] {title}: {step}"
    )


def _title(title: Mapping[str, str], rule: str, language: Language) -> str:
    return plain(title.get(language.value) or rule)


def _clock(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%m-%d %H:%M")


def cut(text: str, limit: int) -> str:
    """Return as much of a text as so many bytes hold, whole characters."""
    raw = text.encode()
    return text if len(raw) <= limit else raw[:limit].decode(errors="ignore")


def joined(title: str, lines: Sequence[str], *, limit: int, between: str = "\n") -> str:
    """Return title and lines within so many bytes; lines that do not fit are left out."""
    kept = cut(title, limit)
    for line in lines:
        longer = f"{kept}{between}{line}"
        if len(longer.encode()) > limit:
            break
        kept = longer
    return kept


_UNSEEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
