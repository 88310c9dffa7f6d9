"""Figures against their proofs: every cell of the whole and of each one-way cut, on any date, known at any position."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

import asyncpg

from chassis.database import Connection
from contracts.reach import BEGINNING
from impact.figures import Figure, Known, Question, Value, ask
from impact.indicator import Indicator
from impact.store.figures import figures_at, known
from impact.verify.proofs import Asked, Cell, Unproven, facts_in_force, prove

Parts = tuple[Fraction, Fraction]
Cells = dict[Cell, Parts]
NOTHING: Parts = (Fraction(0), Fraction(0))
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Pair:
    """When it was true, and what had been admitted when it was known; None is all there is."""

    as_of: date
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """A cell whose figure is not what the proof says: numerator and denominator of both.

    `indicator` names the proof, so F1.v2 is F1 by its second definition.
    """

    indicator: str
    as_of: date
    position: int
    read_from: str
    cell: Cell
    figure: Parts
    proof: Parts


@dataclass(frozen=True, slots=True)
class Verification:
    """How many cells were compared, and those that differ."""

    cells: int
    drift: tuple[Drift, ...]


async def verify(
    db: Connection,
    municipality: str,
    indicators: Sequence[Indicator],
    pairs: Iterable[Pair],
    progress: Progress = lambda _, __: None,
) -> Verification:
    """Compare every indicator at every pair; the connection must hold a snapshot that may write. Raises BeyondLane."""
    asked = [(await known(db, municipality, pair.position), pair.as_of) for pair in pairs]
    cells, drift, done = 0, list[Drift](), 0
    for lane, as_of in asked:
        questions = [each for indicator in indicators for each in _questions(indicator, municipality, as_of)]
        figures = await _figures(db, lane, questions)
        async with facts_in_force(db, municipality, lane.position):
            for place, question in enumerate(questions):
                compared, differing = await _check(db, lane, question, figures[place])
                cells += compared
                drift += differing
                done += 1
                progress(done, len(questions) * len(asked))
    return Verification(cells, tuple(drift))


def _questions(indicator: Indicator, municipality: str, as_of: date) -> list[Question]:
    """The figure as it is asked for, and a flow since the beginning as well, so that no day is left unproven."""
    usual = ask(indicator, municipality, as_of=as_of)
    return [usual, replace(usual, first=BEGINNING)] if indicator.kind == "flow" else [usual]


async def _check(
    db: Connection, lane: Known, question: Question, figures: Mapping[str, Cells]
) -> tuple[int, list[Drift]]:
    first = question.first if question.indicator.kind == "flow" else None
    asked = Asked(first, question.as_of)
    name = proof_of(question.indicator)
    try:
        proof = await _proof(db, name, asked)
    except Unproven:
        missing = (("missing_proof", name),)
        return 0, [Drift(name, question.as_of, lane.position, "proof", missing, NOTHING, NOTHING)]
    compared, drift = 0, list[Drift]()
    for read_from, found in figures.items():
        cells = sorted({*found, *proof})
        compared += len(cells)
        drift += [
            Drift(name, question.as_of, lane.position, read_from, cell, *differing)
            for cell in cells
            if (differing := _differing(question.indicator, found.get(cell, NOTHING), proof.get(cell, NOTHING)))
        ]
    return compared, drift


def proof_of(indicator: Indicator) -> str:
    """The name of an entry's proof: each definition version has one of its own, or none."""
    version = indicator.definition_version
    return indicator.id if version == 1 else f"{indicator.id}.v{version}"


async def _proof(db: Connection, name: str, asked: Asked) -> Cells:
    """What the proof says; a body that it cannot read proves nothing, and so every figure differs. Raises Unproven."""
    try:
        proof = await prove(db, name, asked)
    except asyncpg.DataError:
        return {}
    return {cell: _fractions(*parts) for cell, parts in proof.items()}


async def _figures(db: Connection, lane: Known, questions: Sequence[Question]) -> list[dict[str, Cells]]:
    """The cells of each question by what they are read from, in as few statements as there are ways to read."""
    found: list[dict[str, Cells]] = [{} for _ in questions]
    cuts = [(place, replace(each, by=by)) for place, each in enumerate(questions) for by in _cuts(each)]
    # A figure of now is read from running sums, one of the past from deltas: now, both must be right.
    for read_from in ("sums", "deltas") if lane.latest else ("deltas",):
        figures = await figures_at(db, [cut for _, cut in cuts], lane, from_deltas=read_from == "deltas")
        for (place, _), figure in zip(cuts, figures, strict=True):
            found[place].setdefault(read_from, {}).update(_parts_of(figure))
    return found


def _cuts(question: Question) -> list[tuple[str, ...]]:
    return [(), *((dimension,) for dimension in question.indicator.dimensions)]


def _parts_of(figure: Figure) -> Cells:
    if not figure.question.by:
        return {(): _parts(figure.whole)}
    return {tuple(cell.dimensions.items()): _parts(cell.value) for cell in figure.cells}


def _parts(value: Value) -> Parts:
    if value.over is None:
        return NOTHING
    return value.over, Fraction(1) if value.under is None else value.under


def _differing(indicator: Indicator, figure: Parts, proof: Parts) -> tuple[Parts, Parts] | None:
    """Both, if they differ: of a ratio each side counts, of a sum what comes of them."""
    is_ratio = indicator.denominator is not None and indicator.reading == "sum"
    same = figure == proof if is_ratio else _quotient(figure) == _quotient(proof)
    return None if same else (figure, proof)


def _quotient(parts: Parts) -> Fraction:
    return parts[0] / parts[1] if parts[1] else Fraction(0)


def _fractions(numerator: object, denominator: object) -> Parts:
    return Fraction(str(numerator)), Fraction(str(denominator))
