"""The ledger told again from its first position: what should stand, against what stands, and in its place.

It tells positions, never the stream, and never decides again what was parked.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from chassis.calendar import Calendar
from chassis.database import Connection, Pool
from impact.chronicle import Chronicle
from impact.fold import Measure, RuleError
from impact.store import definitions, ledger, replay
from impact.store.definitions import LaneNotTold
from impact.store.replay import NotAsAdmitted

log = structlog.get_logger()

Progress = Callable[[int, int], None]
Gate = Callable[[Connection], Awaitable[int]]


class GateClosed(Exception):
    """The figures of the rebuilt lane are not what the second implementation says; the live ones stand."""

    def __init__(self, cells: int) -> None:
        super().__init__(cells)
        self.cells = cells


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Up to which position a lane was told again, and how many rows of each table differed."""

    position: int
    differences: dict[str, int]

    @property
    def differing(self) -> list[str]:
        """The tables that were not as they should be."""
        return [table for table, rows in self.differences.items() if rows]


async def compare(
    db: Connection, municipality: str, measures: Sequence[Measure], progress: Progress = lambda _, __: None
) -> Rebuilt:
    """Tell a lane again and compare; the connection must be in a transaction that holds one snapshot.

    Raises RuleError when a rule does not take what was once counted, NotAsAdmitted, DefinitionMissing.
    """
    await definitions.in_force(db, municipality, measures)
    position = await ledger.position_of(db, municipality)
    await replay.set_beside(db)
    await _tell(db, municipality, Chronicle(measures), after=0, upto=position, progress=progress)
    return Rebuilt(position, await replay.differences(db, municipality))


async def rebuild(  # noqa: PLR0913 - what, by which rules and clock, and who may watch and stop it
    pool: Pool,
    municipality: str,
    measures: Sequence[Measure],
    *,
    calendar: Calendar,
    gate: Gate,
    progress: Progress = lambda _, __: None,
) -> Rebuilt:
    """Tell a lane again beside the live figures, and put in their place what differs, if the gate lets it.

    Traffic goes on but for the last moment. All measures are in force afterwards. Raises RuleError, GateClosed,
    NotAsAdmitted, DefinitionMissing.
    """
    async with pool.acquire() as db, db.transaction():
        await replay.set_beside(db)
        chronicle = Chronicle(measures)
        reached = await ledger.position_of(db, municipality)
        await _tell(db, municipality, chronicle, after=0, upto=reached, progress=progress)
        lane = await ledger.lock_lane(db, municipality, calendar.now())
        await _tell(db, municipality, chronicle, after=reached, upto=lane.position, progress=progress)
        # What this program does not know would be missing beside, and be taken for odd.
        await definitions.in_force(db, municipality, measures)
        added = await definitions.missing(db, municipality, measures)
        await definitions.bring_into_force(db, municipality, measures, next_position=lane.position + 1)
        rebuilt = Rebuilt(lane.position, await replay.differences(db, municipality))
        # A definition that counts nothing adds no row, and has to be proven all the same.
        if (rebuilt.differing or added) and (cells := await gate(db)):
            raise GateClosed(cells)
        await replay.replace(db, municipality, rebuilt.differing)
    return rebuilt


async def bring_into_force(
    pool: Pool, municipality: str, measures: Sequence[Measure], *, calendar: Calendar, gate: Gate
) -> None:
    """Count a lane's whole past by the definitions that it lacks; one with facts and none at all is told anew.

    A definition that cannot be brought into force stays out, and the lane goes on with those it has. Raises LaneNotTold
    when it has none.
    """
    async with pool.acquire() as db:
        position = await ledger.position_of(db, municipality)
        missing = await definitions.missing(db, municipality, measures)
    if not position or not missing:
        return
    try:
        await rebuild(pool, municipality, measures, calendar=calendar, gate=gate)
    except (RuleError, GateClosed, NotAsAdmitted) as refusal:
        log.error("definition_refused", municipality=municipality, reason=str(refusal))  # noqa: TRY400 - no event data
        if len(missing) == len(measures):
            raise LaneNotTold(municipality) from refusal
    else:
        log.info("definitions_in_force", municipality=municipality, added=[measure.id for measure in missing])


async def _tell(  # noqa: PLR0913 - a stretch of a lane, and who hears of it
    db: Connection,
    municipality: str,
    chronicle: Chronicle,
    *,
    after: int,
    upto: int,
    progress: Progress = lambda _, __: None,
) -> None:
    async for page in replay.entries(db, municipality, chronicle, after=after, upto=upto):
        await ledger.append_consequences(db, municipality, page)
        after += len(page)
        progress(after, upto)
