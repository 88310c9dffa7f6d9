"""Which definitions a lane keeps, and from which position each is in force."""

from collections.abc import Iterable, Sequence

from chassis.database import Connection
from impact.fold import Measure


class DefinitionMissing(Exception):
    """The lane keeps a definition that this program does not know: a newer program must serve it."""


class LaneNotTold(Exception):
    """The lane has facts and no definition in force: it must be told again before anything is added."""


async def kept(db: Connection, municipality: str, measures: Sequence[Measure], position: int) -> list[Measure]:
    """The measures that are in force on a lane, in the given order; a lane without facts takes all of them.

    It may have heard heartbeats by an older program: what that one did not know has missed nothing yet.

    Raises DefinitionMissing or LaneNotTold.
    """
    found = await in_force(db, municipality, measures)
    if not position:
        await bring_into_force(db, municipality, measures, next_position=1)
        return list(measures)
    if not found:
        raise LaneNotTold(municipality)
    return [measure for measure in measures if (measure.id, measure.version) in found]


async def in_force(db: Connection, municipality: str, measures: Iterable[Measure]) -> set[tuple[str, int]]:
    """What a lane keeps, as (measure, version). Raises DefinitionMissing unless these measures are all of it."""
    found = await _found(db, municipality)
    if unknown := found - {(measure.id, measure.version) for measure in measures}:
        raise DefinitionMissing(", ".join(f"{name}/{version}" for name, version in sorted(unknown)))
    return found


async def missing(db: Connection, municipality: str, measures: Sequence[Measure]) -> list[Measure]:
    """The measures that a lane does not keep."""
    found = await _found(db, municipality)
    return [measure for measure in measures if (measure.id, measure.version) not in found]


async def _found(db: Connection, municipality: str) -> set[tuple[str, int]]:
    return {(row["measure"], row["version"]) for row in await db.fetch(KEPT, municipality)}


KEPT = "SELECT measure, version FROM definition WHERE municipality = $1"


async def bring_into_force(
    db: Connection, municipality: str, measures: Iterable[Measure], *, next_position: int
) -> None:
    """Note that measures are in force; one that is already stays as it is.

    The first version of a measure answers for the whole ledger. A later one answers from the next position on, since
    what was told of the positions before must stay what it was.
    """
    rows = [(measure.id, measure.version) for measure in measures]
    await db.execute(BRING_INTO_FORCE, municipality, next_position, [name for name, _ in rows], [v for _, v in rows])


BRING_INTO_FORCE = """
INSERT INTO definition (municipality, measure, version, in_force_from)
SELECT $1, measure, version, CASE WHEN EXISTS (
    SELECT FROM definition AS other
    WHERE other.municipality = $1 AND other.measure = added.measure AND other.version <> added.version
) THEN $2 ELSE 0 END
FROM unnest($3::text[], $4::integer[]) AS added (measure, version)
ON CONFLICT DO NOTHING
"""
