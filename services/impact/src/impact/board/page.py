"""The page: figures by track of the strategy, what each is worth, and whether they can be relied on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from contracts.codelists import CODE_LISTS
from impact.board.signs import Evidence, signs
from impact.board.words import DIRECTIONS, STATUSES, TRACKS, Language, Writer
from impact.disclosure import Released
from impact.figures import Figure, Known


@dataclass(frozen=True, slots=True)
class Seen:
    """What one snapshot shows of a municipality: figures as they may leave for everybody, and what speaks for them."""

    municipality: str
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
    when: str


def render(seen: Seen, language: Language, served: Sequence[str]) -> str:
    """The page as HTML, with ways to the other municipalities that are served."""
    write = Writer(language)
    tracks: dict[str, list[Row]] = {}
    for figure in seen.figures:
        tracks.setdefault(_track(figure), []).append(_row(figure, write))
    return _template().render(
        language=language,
        say=write.say,
        of=write.of,
        municipality=seen.municipality,
        place=_place(seen.municipality, write),
        others=[(code, _place(code, write)) for code in served if code != seen.municipality],
        read_at=write.moment(seen.evidence.now),
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


def _track(figure: Figure) -> str:
    """The first track that the catalogue names; a figure of several stands once."""
    return next((code for code in figure.question.indicator.mapping if code in TRACKS), "")


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
        when=_when(figure, write),
    )


def _parts(figure: Figure, write: Writer) -> str:
    """Above and below the line, where counts stand there; of a pool the amounts are in øre."""
    whole, indicator = figure.whole, figure.question.indicator
    if whole.value is None or whole.numerator is None or whole.denominator is None:
        return ""
    if indicator.numerator.unit == "DKK 0.01":
        over, under = write.number(whole.numerator / 100), write.number(whole.denominator / 100)
        return write.say(f"{over} af {under} kr.", f"DKK {over} of {under}")
    over, under = write.number(whole.numerator), write.number(whole.denominator)
    return write.say(f"{over} af {under}", f"{over} of {under}")


def _when(figure: Figure, write: Writer) -> str:
    """On which day it was true; of a figure about persons, out of which release."""
    day = write.day(figure.question.as_of)
    if isinstance(figure, Released):
        return write.say(f"{day}, udgivelse {figure.release}", f"{day}, release {figure.release}")
    return day


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
