"""Tells a municipality's story straight into a ledger as raw bodies, and asks the proofs what they make of it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chassis.database import Pool
from impact.verify.proofs import Asked, Cell, facts_in_force, prove

RETRACTED = "event.retracted"
NEW_YEAR = date(2026, 1, 1)
WHOLE: Cell = ()
ROW = """
    INSERT INTO ledger (
        municipality, position, kind, source, event_id, type, time, occurred_on, body, body_hash, parked, recorded_at,
        stream, stream_sequence, concerns
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $7, 'none', $2, $11)
"""


def day(text: str) -> date:
    return date.fromisoformat(text)


def of(whole: str, parts: str) -> tuple[Decimal, Decimal]:
    """A numerator and a denominator."""
    return Decimal(whole), Decimal(parts)


@dataclass
class Teller:
    """Tells a municipality's story into the ledger, one position after the other."""

    pool: Pool
    municipality: str = "621"
    position: int = 0
    registered: datetime = datetime(2026, 1, 1, 9, tzinfo=UTC)
    bodies: dict[int, dict[str, Any]] = field(default_factory=dict)

    async def tell(self, name: str, on: str | None = None, **told: Any) -> str:
        """Tell a fact, by default each registered later than the one before; gives its id."""
        self.registered += timedelta(minutes=1)
        event_id = told.pop("id", f"e{self.position + 1}")
        source = f"urn:kraftcenter:{self.municipality}:{told.pop('source', 'flexjob_pool')}"
        time = told.pop("time", f"{self.registered:%Y-%m-%dT%H:%M:%SZ}")
        envelope = {"id": event_id, "source": source, "type": f"dk.kraftcenter.{name}.v1", "time": time}
        if corrects := told.pop("corrects", None):
            envelope["corrects"] = corrects
        parked = told.pop("parked", None)
        await self.enter("fact", {**envelope, "data": told | ({"occurred_on": on} if on else {})}, parked=parked)
        return str(event_id)

    async def enter(
        self, kind: str, body: dict[str, Any], *, parked: str | None = None, about: int | None = None
    ) -> None:
        """Make an entry of any kind."""
        self.position += 1
        self.bodies[self.position] = body
        known = (body["source"], body["id"], body["type"], datetime.fromisoformat(body["time"]))
        on = body["data"].get("occurred_on")
        where = (self.municipality, self.position)
        await self.pool.execute(ROW, *where, kind, *known, on and day(on), body, parked, about)

    async def flexjob(self, person: str, job: str, on: str, hours: str, **told: Any) -> str:
        told = {"department": "Senior", "effective_hours_per_week": hours} | told
        return await self.tell("flexjob.started", on, person_ref=person, placement_id=job, **told)

    async def placement(self, person: str, job: str, on: str, hours: str, **told: Any) -> str:
        usual = {"source": "partnerships", "employment_kind": "ordinary", "org_id": "mill", "origin_code": "education"}
        told = usual | {"effective_hours_per_week": hours} | told
        return await self.tell("placement.started", on, person_ref=person, placement_id=job, **told)

    async def hours(self, person: str, job: str, on: str, hours: str, **told: Any) -> str:
        told = {"effective_hours_per_week": hours, "cause": "capacity_up"} | told
        return await self.tell("flexjob.hours_changed", on, person_ref=person, placement_id=job, **told)

    async def end(self, person: str, job: str, on: str, noun: str = "flexjob", **told: Any) -> str:
        told = {"reason_code": "other"} | told
        return await self.tell(f"{noun}.ended", on, person_ref=person, placement_id=job, **told)

    async def retract(self, event_id: str, **told: Any) -> str:
        return await self.tell(RETRACTED, event_id=event_id, **told)

    async def cells(
        self, indicator: str, as_of: str, position: int | None = None
    ) -> dict[Cell, tuple[Decimal, Decimal]]:
        """Every figure of an indicator; a flow's since New Year."""
        known = self.position if position is None else position
        async with (
            self.pool.acquire() as db,
            db.transaction(),
            facts_in_force(db, self.municipality, known),
        ):
            return await prove(db, indicator, Asked(NEW_YEAR, day(as_of)))

    async def whole(self, indicator: str, as_of: str, position: int | None = None) -> tuple[Decimal, Decimal]:
        return (await self.cells(indicator, as_of, position))[WHOLE]

    async def mean_hours(self, position: int | None = None) -> tuple[Decimal, Decimal]:
        """Hours and persons in flexjob at the end of 2026."""
        return await self.whole("F4", "2026-12-31", position)


def cut(cells: dict[Cell, tuple[Decimal, Decimal]], name: str) -> dict[str, tuple[str, str]]:
    """One cut of an indicator, as text."""
    return {
        cell[0][1]: (f"{numerator.normalize():f}", f"{denominator.normalize():f}")
        for cell, (numerator, denominator) in cells.items()
        if cell and cell[0][0] == name
    }
