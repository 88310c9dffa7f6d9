"""The ledger told again from its first position: what should stand, against what stands, and in its place.

It tells positions, never the stream, and never decides again what was parked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from time import monotonic

import asyncpg
import structlog

from chassis.calendar import Calendar
from chassis.database import UNAVAILABLE, Connection, Pool
from impact.fold import Measure, RuleError
from impact.store import definitions, ledger, replay
from impact.store.definitions import DefinitionMissing, LaneNotTold
from impact.store.replay import NotAsAdmitted

log = structlog.get_logger()

Progress = Callable[[int, int], None]
Gate = Callable[[Connection], Awaitable[int]]
# A lane that moves as fast as it is told is never told to its end.
LAPS = 4


class GateClosed(Exception):
    """The figures of the rebuilt lane are not what the second implementation says; the live ones stand."""

    def __init__(self, cells: int) -> None:
        super().__init__(cells)
        self.cells = cells


@dataclass(slots=True)
class Attempt:
    """What could not be brought into force on a lane: its streams share it, since one telling answers for all."""

    refused: AbstractSet[tuple[str, int]] = frozenset()
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


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
    pool: Pool,
    municipality: str,
    measures: Sequence[Measure],
    progress: Progress = lambda _, __: None,
    *,
    rest: float = 0,
) -> Rebuilt:
    """Tell a lane again, and compare what it comes to with what stands, in one snapshot at the end.

    After each page it rests `rest` times as long as the page took, for the sake of whoever shares the process. Raises
    RuleError when a rule does not take what was once counted, NotAsAdmitted, DefinitionMissing.
    """
    async with replay.beside(pool) as db:
        await definitions.in_force(db, municipality, measures)
        reached = await _told_so_far(db, municipality, measures, progress=progress, rest=rest)
        async with db.transaction(isolation="repeatable_read"):
            await definitions.in_force(db, municipality, measures)
            position = await ledger.position_of(db, municipality)
            await _tell(db, municipality, measures, after=reached, upto=position, progress=progress)
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
    async with replay.beside(pool) as db:
        # Before all is told, which may take long; and again with the lane locked.
        await definitions.in_force(db, municipality, measures)
        reached = await _told_so_far(db, municipality, measures, progress=progress)
        async with db.transaction():
            lane = await ledger.lock_lane(db, municipality, calendar.now())
            await _tell(db, municipality, measures, after=reached, upto=lane.position, progress=progress)
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


async def bring_into_force(  # noqa: PLR0913 - as many as rebuild has
    pool: Pool,
    municipality: str,
    measures: Sequence[Measure],
    *,
    calendar: Calendar,
    gate: Gate,
    attempt: Attempt | None = None,
) -> None:
    """Count a lane's whole past by the definitions that it lacks; one with facts and none at all is told anew.

    Definitions that cannot be brought into force stay out, are not tried again in the same attempt, and the lane goes
    on with those it has. Raises LaneNotTold when it has none, DefinitionMissing.
    """
    attempt = attempt or Attempt()
    async with attempt.lock:
        async with pool.acquire() as db:
            position = await ledger.position_of(db, municipality)
            missing = await definitions.missing(db, municipality, measures)
        names = {(measure.id, measure.version) for measure in missing}
        if not position or not missing:
            return
        if names != attempt.refused:
            if await _brought_in(pool, municipality, measures, calendar=calendar, gate=gate):
                log.info("definitions_in_force", municipality=municipality, added=[measure.id for measure in missing])
                return
            attempt.refused = names
        if len(missing) == len(measures):
            raise LaneNotTold(municipality)


async def _brought_in(
    pool: Pool, municipality: str, measures: Sequence[Measure], *, calendar: Calendar, gate: Gate
) -> bool:
    """Whether the lane is told by all of these measures now; what fails for want of a server says nothing of them."""
    try:
        await rebuild(pool, municipality, measures, calendar=calendar, gate=gate)
    except (*UNAVAILABLE, asyncpg.PostgresError, DefinitionMissing):
        raise
    except Exception as refusal:  # noqa: BLE001 - whatever a rule or a proof raises, the lane goes on without it
        foreseen = isinstance(refusal, RuleError | GateClosed | NotAsAdmitted)
        reason = str(refusal) if foreseen else ""
        log.error(  # noqa: TRY400 - no event data
            "definition_refused", municipality=municipality, error=type(refusal).__name__, reason=reason
        )
        return False
    return True


async def _told_so_far(
    db: Connection, municipality: str, measures: Sequence[Measure], *, progress: Progress, rest: float = 0
) -> int:
    """Tell what the lane has by now, and what it has got meanwhile, until little is left; up to which position."""
    reached = 0
    for _ in range(LAPS):
        position = await ledger.position_of(db, municipality)
        if position - reached <= replay.PAGE:
            break
        await _tell(db, municipality, measures, after=reached, upto=position, progress=progress, rest=rest)
        reached = position
    return reached


async def _tell(  # noqa: PLR0913 - a stretch of a lane, and who hears of it
    db: Connection,
    municipality: str,
    measures: Sequence[Measure],
    *,
    after: int,
    upto: int,
    progress: Progress = lambda _, __: None,
    rest: float = 0,
) -> None:
    began = monotonic()
    async for page in replay.entries(db, municipality, measures, after=after, upto=upto):
        await ledger.append_consequences(db, municipality, page)
        after += len(page)
        progress(after, upto)
        await asyncio.sleep(rest * (monotonic() - began))
        began = monotonic()
