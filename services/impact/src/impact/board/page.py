"""The page: figures by track of the strategy, what each is worth, and whether they can be relied on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from contracts.codelists import CODE_LISTS
from impact.board.signs import Evidence, signs
from impact.board.words import DIRECTIONS, STATUSES, Language, Writer
from impact.catalogue import TRACKS, track_of
from impact.disclosure import Released
from impact.figures import Figure, Known, Question


@dataclass(frozen=True, slots=True)
class Seen:
    """What one snapshot shows of a municipality: figures as they may leave for everybody, and what speaks for them.

    `read_at` is the calendar's, as every date of the page: only what is so long ago is told in real time.
    """

    municipality: str
    read_at: datetime
    known: Known
    figures: Sequence[Figure]
    evidence: Evidence


class Row(NamedTuple):
    """A figure in words."""

    id: str
    title: str
    definition: str
    wanted: str
    value: str
    parts: str
    status: str
    period: str
    release: str


def render(seen: Seen, language: Language, served: Sequence[str]) -> str:
    """The page as HTML, with ways to the other municipalities that are served."""
    write = Writer(language)
    tracks: dict[str, list[Row]] = {}
    for figure in seen.figures:
        tracks.setdefault(track_of(figure.question.indicator), []).append(_row(figure, write))
    return _template().render(
        language=language,
        say=write.say,
        of=write.of,
        municipality=seen.municipality,
        place=_place(seen.municipality, write),
        others=[(code, _place(code, write)) for code in served if code != seen.municipality],
        read_at=write.moment(seen.read_at),
        admitted=_admitted(seen.known, write),
        signs=signs(seen.evidence, write),
        tracks=[(write.of(title), tracks[track]) for track, title in TRACKS.items() if track in tracks],
    )


@cache
def _template() -> Template:
    loader = PackageLoader("impact", "board")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True).get_template(
        "page.html"
    )


def _row(figure: Figure, write: Writer) -> Row:
    indicator, whole = figure.question.indicator, figure.whole
    return Row(
        id=indicator.id,
        title=write.of(indicator.title),
        definition=write.of(indicator.definition),
        wanted=write.of(DIRECTIONS[indicator.direction]),
        value="-" if whole.value is None else write.amount(whole.value, indicator.unit),
        parts=_parts(figure, write),
        status=write.of(STATUSES[whole.status]),
        period=_period(figure.question, write),
        release=_release(figure, write),
    )


def _parts(figure: Figure, write: Writer) -> str:
    """What a share is a part of, and what a mean is over; of a pool the amounts are in øre."""
    whole, indicator = figure.whole, figure.question.indicator
    over, under = whole.numerator, whole.denominator
    if whole.value is None or over is None or under is None or indicator.denominator is None:
        return ""
    if indicator.unit != "share":
        shared, among = write.part(over, indicator.numerator.unit), write.part(under, indicator.denominator.unit)
        return write.say(f"{shared} fordelt på {among}", f"{shared} among {among}")
    if indicator.numerator.unit == "DKK 0.01":
        kroner, of = write.number(over / 100), write.number(under / 100)
        return write.say(f"{kroner} af {of} kr.", f"DKK {kroner} of {of}")
    return write.say(f"{write.number(over)} af {write.number(under)}", f"{write.number(over)} of {write.number(under)}")


def _period(question: Question, write: Writer) -> str:
    """Over which days it was counted, or on which day it was true."""
    last, months = write.day(question.last), question.indicator.months
    if question.indicator.kind == "cohort":
        return write.say(f"Alle måneder til og med {last}", f"All months up to {last}")
    if question.first is None:
        return write.say(f"Pr. {last}", f"As of {last}")
    if months:
        return write.say(f"Seneste {months} måneder til og med {last}", f"Last {months} months up to {last}")
    first = write.day(question.first)
    return write.say(f"{first} til og med {last}", f"{first} up to {last}")


def _release(figure: Figure, write: Writer) -> str:
    """Out of which release; only figures about persons leave so."""
    if isinstance(figure, Released):
        return write.say(f"Udgivelse {figure.release}", f"Release {figure.release}")
    return ""


def _admitted(known: Known, write: Writer) -> str:
    if known.at is None:
        return write.say("Endnu er ingen hændelse optaget.", "No event has been admitted yet.")
    when, position = write.moment(known.at), write.number(known.position)
    return write.say(
        f"Seneste hændelse er optaget {when} som nummer {position}.",
        f"The last event was admitted {when}, as number {position}.",
    )


def _place(code: str, write: Writer) -> str:
    """The municipality's name, as far as the code lists have it."""
    names = {entry.code: write.say(entry.danish, entry.english) for entry in CODE_LISTS["job7_municipality"]}
    return names.get(code, write.say(f"Kommune {code}", f"Municipality {code}"))
