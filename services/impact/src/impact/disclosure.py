"""Who may see what: the one policy that every exit applies.

A figure about persons leaves with the scope `figures:exact`, or out of the latest release; nothing else of it leaves.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from chassis.tokens import Principal
from impact.figures import Figure, Known, Question, Status, Value, ask
from impact.indicator import Indicator

EXACT = "figures:exact"
SUPPRESSED = Value(Status.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class Release:
    """What everybody may know of a municipality's persons: its wholes, all at one position and date.

    `wholes` is by indicator and definition version.
    """

    municipality: str
    number: int
    position: int
    as_of: date
    known_as_of: datetime
    wholes: Mapping[tuple[str, int], Value]


@dataclass(frozen=True, slots=True)
class Released(Figure):
    """A figure out of a release, at the release's position and date, whatever day it is by now."""

    release: int


def disclosed(
    figure: Figure, reader: Principal | None, release: Release | None = None, *, by_default: bool = False
) -> Figure:
    """The figure as it may leave for this reader; None is the public.

    `release` is the latest one of the municipality. `by_default`: the caller named neither dates nor a version, and so
    is answered as of the release. The number of facts is kept back too: it is as telling as the value.
    """
    question = figure.question
    if not question.indicator.about_persons or may_see_exact(reader, question.municipality):
        return figure
    if release and not question.by and (by_default or _is_of(figure, release)):
        return released(question, release)
    return withheld(question, figure.known)


def withheld(question: Question, known: Known) -> Figure:
    """A figure that nobody has reckoned, since nobody here may see it but as a release."""
    return Figure(question, known, SUPPRESSED, None, ())


def released(question: Question, release: Release) -> Released:
    """The whole of an indicator as the release has it; suppressed when it hides it, or was made without it."""
    indicator = question.indicator
    return Released(
        question=ask(indicator, release.municipality, as_of=release.as_of),
        known=Known(release.position, release.known_as_of),
        whole=release.wholes.get((indicator.id, indicator.definition_version), SUPPRESSED),
        facts=None,
        cells=(),
        release=release.number,
    )


def protected(figure: Figure, groups: Collection[int], k: int) -> Value:
    """The whole of a figure as it may be released: suppressed where a group that can be told apart is below k persons.

    `groups` counts distinct persons; nobody at all is no group.
    """
    # A value that nobody stands behind means that the count is of something else.
    unaccounted = not groups and bool(figure.whole.over)
    return SUPPRESSED if unaccounted or any(group < k for group in groups) else figure.whole


def is_rate(indicator: Indicator) -> bool:
    """Whether it tells how many of some persons have something: then who lacks it can be told from it as well."""
    return indicator.denominator is not None and indicator.unit == "share"


def read_exactly(questions: Iterable[Question], reader: Principal | None) -> list[Question]:
    """The questions that this reader gets exact answers about persons to: these reads are noted."""
    return [
        question
        for question in questions
        if question.indicator.about_persons and may_see_exact(reader, question.municipality)
    ]


def may_see_exact(reader: Principal | None, municipality: str) -> bool:
    """Whether figures about persons of this municipality leave for this reader as they are."""
    return reader is not None and reader.may(EXACT) and reader.municipality == municipality


def _is_of(figure: Figure, release: Release) -> bool:
    """Whether the very pair of the release was asked for."""
    question = figure.question
    asked = ask(question.indicator, release.municipality, as_of=release.as_of)
    return question == asked and figure.known.position == release.position
