"""Whether the figures can be relied on just now, sign by sign, each said in words. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from impact.board.words import Writer
from impact.conservation import EXPLAINED, Balance
from impact.indicator import Bilingual

SILENT_AFTER = timedelta(seconds=180)
"""Twelve heartbeats; from then on operations are called as well."""
OLD_AFTER = timedelta(days=31)


class State(Enum):
    """What a sign amounts to, with a mark and a word: nothing on the board is told by colour alone."""

    WELL = ("well", "✓", Bilingual("I orden", "In order"))
    UNWELL = ("unwell", "✗", Bilingual("Ikke i orden", "Not in order"))
    UNKNOWN = ("unknown", "?", Bilingual("Vides ikke", "Not known"))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the signs are read from: the last verification, the lane's account, what is parked, and the last release.

    `now` and `verified_at` are real instants, `today` and `released` days of the calendar. `trusted` tells whether that
    verification is recent enough and found nothing.
    """

    now: datetime
    today: date
    verified_at: datetime | None
    cells: int
    drift: int
    trusted: bool
    balance: Balance
    parked: int
    released: date | None


class Sign(NamedTuple):
    """What is looked at, how it stands, and what was found."""

    title: str
    state: State
    says: str


def signs(evidence: Evidence, write: Writer) -> list[Sign]:
    """All of them, in the order in which one would ask."""
    return [
        _proven(evidence, write),
        _accounted(evidence.balance, write),
        _complete(evidence.balance, write),
        _decided(evidence.parked, write),
        _heard(evidence, write),
        _recent(evidence, write),
    ]


def _proven(evidence: Evidence, write: Writer) -> Sign:
    title = write.say("Regnet efter ad en anden vej", "Reckoned a second way")
    if evidence.verified_at is None:
        return Sign(title, State.UNKNOWN, write.say("Er ikke sket endnu.", "Not done yet."))
    cells, when = write.number(evidence.cells), write.ago(evidence.now - evidence.verified_at)
    if evidence.drift:
        drift = write.number(evidence.drift)
        says = write.say(
            f"{drift} af {cells} sammenligninger afviger, {when}. Intet nyt udgives, før det er rettet.",
            f"{drift} of {cells} comparisons differ, {when}. Nothing new is released until that is mended.",
        )
        return Sign(title, State.UNWELL, says)
    if not evidence.trusted:
        says = write.say(f"Sidste gang var {when}: for længe.", f"The last time was {when}: too long.")
        return Sign(title, State.UNWELL, says)
    says = write.say(f"{cells} sammenligninger stemmer, {when}.", f"{cells} comparisons agree, {when}.")
    return Sign(title, State.WELL, says)


def _accounted(balance: Balance, write: Writer) -> Sign:
    title = write.say("Alt modtaget er talt ét sted", "All that was received is counted in one place")
    broken = {write.of(EXPLAINED[account.name].title) for account in balance.open_in_lane}
    if not broken:
        accounts = write.number(len(balance.names))
        return Sign(title, State.WELL, write.say(f"{accounts} konti går op.", f"{accounts} accounts close."))
    rules = "; ".join(sorted(broken))
    return Sign(title, State.UNWELL, write.say(f"Holder ikke: {rules}.", f"Does not hold: {rules}."))


def _complete(balance: Balance, write: Writer) -> Sign:
    title = write.say("Alt udsendt er nået frem", "All that was sent has arrived")
    if balance.complete is None:
        return Sign(title, State.UNKNOWN, write.say("Ingen kilde har sagt hvor meget.", "No source has said how much."))
    missing = sum(source.missing or 0 for source in balance.completeness)
    if missing:
        number = write.number(missing)
        return Sign(title, State.UNWELL, write.say(f"{number} mangler lige nu.", f"{number} are missing just now."))
    received = write.number(sum(source.received for source in balance.completeness))
    return Sign(title, State.WELL, write.say(f"{received} hændelser.", f"{received} events."))


def _decided(parked: int, write: Writer) -> Sign:
    title = write.say("Intet venter på en afgørelse", "Nothing waits for a decision")
    if not parked:
        return Sign(title, State.WELL, write.say("Alle hændelser kan læses.", "Every event can be read."))
    number = write.number(parked)
    says = write.say(
        f"Tæller ikke, før nogen har taget stilling: {number} hændelse{'' if parked == 1 else 'r'}.",
        f"Not counted until somebody has decided: {number} event{'' if parked == 1 else 's'}.",
    )
    return Sign(title, State.UNWELL, says)


def _heard(evidence: Evidence, write: Writer) -> Sign:
    """A heartbeat comes behind all that its producer sent before it, so figures are as fresh as the oldest of them."""
    title = write.say("Alle systemer er hørt", "Every system was heard")
    sent: dict[str, datetime] = {}
    for beat in (beat for source in evidence.balance.completeness for beat in source.heard):
        sent[beat.producer] = max(beat.sent_at, sent.get(beat.producer, beat.sent_at))
    if not sent:
        return Sign(title, State.UNKNOWN, write.say("Intet system er hørt endnu.", "No system was heard yet."))
    late = ", ".join(sorted(name for name, at in sent.items() if at < evidence.now - SILENT_AFTER))
    if late:
        return Sign(title, State.UNWELL, write.say(f"Tavse eller forsinkede: {late}.", f"Silent or late: {late}."))
    when = write.ago(evidence.now - min(sent.values()))
    says = write.say(f"Alt er med fra alle systemer indtil {when}.", f"All that every system sent until {when} is in.")
    return Sign(title, State.WELL, says)


def _recent(evidence: Evidence, write: Writer) -> Sign:
    title = write.say("Tal om personer er højst en måned gamle", "Figures about persons are at most a month old")
    if evidence.released is None:
        return Sign(title, State.UNKNOWN, write.say("Endnu er intet udgivet.", "Nothing was released yet."))
    day = write.day(evidence.released)
    if evidence.today - evidence.released > OLD_AFTER:
        says = write.say(
            f"De er fra {day}. Siden har færre end fem personer flyttet dem, eller der udgives ikke.",
            f"They are of {day}. Fewer than five persons have moved them since, or nothing is being released.",
        )
        return Sign(title, State.UNWELL, says)
    return Sign(title, State.WELL, write.say(f"De er fra {day}.", f"They are of {day}."))
