"""A year of any number of people with all that goes wrong in one, as it is registered and as it arrives."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple
from uuid import UUID

from chassis.wire import Sealed, seal
from contracts.catalogue import BY_TYPE
from contracts.event import DatedEvent, Event
from contracts.platform import EventRetracted
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.ledger import Delivery

EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
LANE = Stream("621", "flexjob_pool")
MEASURES = measures_of(INDICATORS)
NEW_YEAR = date(2026, 1, 1)
DAYS = 365
DEPARTMENTS = ("Senior", "Børn", "Teknik", "Kultur", "Social")
HOURS = ("2.00", "4.00", "6.50", "8.00", "10.00", "12.50", "15.00")
CAUSES = ("capacity_up", "capacity_up", "task_match", "capacity_down", "organisational")
ENDS = ("ordinary_job", "resigned", "pension", "other_flexjob", "dismissed")
KINDS = ("ordinary", "small_job", "work_trial", "apprenticeship", "wage_subsidy")
ORIGINS = ("cash_benefit", "education", "sickness_benefit")


@dataclass(frozen=True, slots=True)
class Plan:
    """How many live the year, and how much of it goes wrong; `name` begins the id of each event.

    Who only adds people to a year that is told already leaves its `office` out: budgets, staff, other municipalities.
    """

    people: int
    seed: int = 2026
    name: str = ""
    corrections: float = 0.03
    retractions: float = 0.01
    shuffled_days: int = 7
    office: bool = True


class Said(NamedTuple):
    """An event as it is registered: when, under which id, and which earlier event it corrects."""

    time: datetime
    id: str
    event: Event
    corrects: str | None = None


@cache
def example(name: str) -> tuple[type[Event], dict[str, object]]:
    message = json.loads((EXAMPLES / f"{name}.v1.json").read_text(encoding="utf-8"))
    return BY_TYPE[message["type"]], message["data"]


def told(name: str, day: date, **data: object) -> DatedEvent:
    """An event as its published example has it, but for what is said here."""
    model, usual = example(name)
    event = model.model_validate({**usual, "occurred_on": day, **data})
    assert isinstance(event, DatedEvent)
    return event


class Year:
    """What happens to everybody in a year; the same each time."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.chance = Random(plan.seed)  # noqa: S311 - a story, not a secret

    def tell(self) -> list[Said]:
        """The year as it is registered: mistakes and their undoing among it, shuffled within so many days."""
        events = [event for _ in range(self.plan.people) for event in self._person()]
        events = [*self._office(), *events] if self.plan.office else events
        said = [self._registered(number, event) for number, event in enumerate(events)]
        corrections = [self._correction(said[place]) for place in self._some(said, self.plan.corrections)]
        retractions = [self._retraction(each) for each in self._picked([*said, *corrections], self.plan.retractions)]
        return sorted([*said, *corrections, *retractions], key=self._turn)

    def _some(self, of: Sequence[Said], share: float) -> list[int]:
        return self.chance.sample(range(len(of)), round(len(of) * share))

    def _picked(self, of: Sequence[Said], share: float) -> list[Said]:
        return [of[place] for place in self._some(of, share)]

    def _turn(self, said: Said) -> tuple[int, float]:
        return (said.time.date() - NEW_YEAR).days // self.plan.shuffled_days, self.chance.random()

    def _registered(self, number: int, event: DatedEvent) -> Said:
        """Most things are registered within days, some much later."""
        late = self.chance.choice((0, 0, 1, 2, 3, 40))
        noon = datetime(event.occurred_on.year, event.occurred_on.month, event.occurred_on.day, 12, tzinfo=UTC)
        return Said(noon + timedelta(days=late, seconds=number), f"{self.plan.name}e{number}", event)

    def _correction(self, said: Said) -> Said:
        assert isinstance(said.event, DatedEvent)
        day = said.event.occurred_on + timedelta(days=self.chance.choice((-31, -3, 0, 0, 2, 30)))
        change: dict[str, object] = {"occurred_on": day, "reason_code": "typed_wrongly"}
        if "effective_hours_per_week" in type(said.event).model_fields:
            change["effective_hours_per_week"] = Decimal(self.chance.choice(HOURS))
        corrected = said.event.model_copy(update=change)
        return Said(said.time + timedelta(days=self.chance.randint(1, 60)), f"{said.id}-right", corrected, said.id)

    def _retraction(self, said: Said) -> Said:
        event = EventRetracted(event_id=said.id, reason_code="double_entry")
        return Said(said.time + timedelta(days=self.chance.randint(0, 60)), f"{said.id}-never", event)

    def _id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128)))

    def _day(self) -> date:
        return NEW_YEAR + timedelta(days=self.chance.randrange(-90, DAYS))

    def _office(self) -> Iterator[DatedEvent]:
        for fiscal_year in (2025, 2026, 2027):
            budget = {"budget_id": self._id(), "fiscal_year": fiscal_year}
            yield told("pool.budget_allocated", date(fiscal_year - 1, 12, 1), **budget, amount_ore=900_000_000)
            yield told("pool.budget_adjusted", date(fiscal_year, 6, 1), **budget, amount_ore=950_000_000)
        for month in range(1, 13):
            for department in DEPARTMENTS:
                staff = {"headcount": self.chance.randrange(800, 900), "fte": "700.00", "trainee_headcount": month}
                yield told("workforce.snapshot_taken", date(2026, month, 1), department=department, **staff)
        for _ in range(60):
            request = {"request_id": self._id(), "to_municipality": self.chance.choice(("630", "607"))}
            day = self._day()
            yield told("job7.candidate_requested", day, **request)
            if self.chance.random() < 0.6:
                soon = day + timedelta(days=self.chance.randrange(120))
                yield told("job7.candidate_placed", soon, **request, person_ref=self._id(), placement_id=self._id())

    def _person(self) -> Iterator[DatedEvent]:
        person, day = self._id(), self._day()
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            job = {"person_ref": person, "placement_id": self._id()}
            life = self._flexjob if self.chance.random() < 0.7 else self._placement
            yield from life(day, job)
            day += timedelta(days=self.chance.randrange(200))

    def _flexjob(self, day: date, job: dict[str, str]) -> Iterator[DatedEvent]:
        unit = {"department": self.chance.choice(DEPARTMENTS)}
        more: dict[str, str | None] = {"grant_id": None}
        if self.chance.random() < 0.25:
            more["need_id"] = self._id()
            reported = day - timedelta(days=self.chance.randrange(90))
            yield told("need.reported", reported, **unit, need_id=more["need_id"])
        if self.chance.random() < 0.4:
            more["grant_id"] = grant = self._id()
            yield from self._grant(day, grant)
        yield told("flexjob.started", day, **job, **unit, **more, effective_hours_per_week=self.chance.choice(HOURS))
        yield from self._changes("flexjob", day, job)
        if self.chance.random() < 0.1:
            yield told("flexjob.transferred", self._after(day), **job, department=self.chance.choice(DEPARTMENTS))
        if self.chance.random() < 0.2:
            review = {**job, "review_id": self._id()}
            due = self._after(day)
            yield told("flexjob.review_due", day, **review, due_on=due)
            yield told("flexjob.review_held", due + timedelta(days=self.chance.randint(-20, 5)), **review)
        if self.chance.random() < 0.3:
            ended = {"grant_id": more["grant_id"], "reason_code": self.chance.choice(ENDS)}
            yield told("flexjob.ended", self._after(day), **job, **ended)

    def _placement(self, day: date, job: dict[str, str]) -> Iterator[DatedEvent]:
        terms = {"employment_kind": self.chance.choice(KINDS), "origin_code": self.chance.choice(ORIGINS)}
        hours = self.chance.choice(HOURS)
        partner = {"org_id": self._id(), "partnership_id": self._id() if self.chance.random() < 0.3 else None}
        yield told("placement.started", day, **job, **terms, **partner, effective_hours_per_week=hours)
        yield from self._changes("placement", day, job)
        if self.chance.random() < 0.15:
            yield told("placement.kind_changed", self._after(day), **job, employment_kind="ordinary")
        if self.chance.random() < 0.4:
            yield told("placement.ended", self._after(day), **job)

    def _changes(self, noun: str, day: date, job: dict[str, str]) -> Iterator[DatedEvent]:
        for _ in range(self.chance.choice((0, 0, 1, 2))):
            day = self._after(day)
            terms = {"effective_hours_per_week": self.chance.choice(HOURS), "cause": self.chance.choice(CAUSES)}
            yield told(f"{noun}.hours_changed", day, **job, **terms)

    def _grant(self, day: date, grant: str) -> Iterator[DatedEvent]:
        amounts = {2026: self.chance.randrange(1_000, 900_000), 2027: self.chance.randrange(1_000, 900_000)}
        for verb in ("committed", "adjusted", "released")[: self.chance.choice((1, 1, 2, 3))]:
            parts = [{"fiscal_year": year, "amount_ore": amount} for year, amount in amounts.items()]
            known = {"grant_id": grant, "application_id": grant, "amount_ore": sum(amounts.values())}
            yield told(f"grant.{verb}", day, **known, allocations=parts)
            day, amounts = self._after(day), {year: amount // 2 for year, amount in amounts.items()}

    def _after(self, day: date) -> date:
        return day + timedelta(days=self.chance.randrange(1, 150))


def sealed(said: Said, lane: Stream = LANE) -> Sealed:
    known = {"municipality": lane.municipality, "producer": lane.producer}
    return seal(said.event, **known, id=said.id, time=said.time, corrects=said.corrects)


def deliveries(people: int) -> list[Delivery]:
    """A year as it arrives: now and then something comes a second time."""
    bodies = [sealed(said).body for said in Year(Plan(people)).tell()]
    chance = Random(people)  # noqa: S311 - a story, not a secret
    for place in chance.sample(range(len(bodies)), len(bodies) // 100):
        bodies.insert(place + chance.randrange(1, 700), bodies[place])
    return [Delivery(LANE.name, sequence, {}, body) for sequence, body in enumerate(bodies, start=1)]
