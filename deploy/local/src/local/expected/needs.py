"""What workplaces look for: how long a need waits for its flexjob, and what comes of requests to others."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import TypeVar
from uuid import UUID

from local.actions.action import Dated
from local.actions.flexjobs import StartFlexjob
from local.actions.workplaces import PlaceCandidate, ReportNeed, RequestCandidate
from local.expected.value import Figure, Value, amount, cells, ratio

PATIENCE = timedelta(days=90)

D = TypeVar("D", bound=Dated)


def days_to_fill(known: Iterable[Dated], as_of: date) -> Figure:
    """F6: the median number of days from a need to the first flexjob for it."""
    known = list(known)
    first: dict[UUID, date] = {}
    needs = {need.need_id: need for need in known if isinstance(need, ReportNeed)}
    for start in _until(as_of, StartFlexjob, known):
        if (need := needs.get(start.need_id) if start.need_id else None) and start.occurred_on >= need.occurred_on:
            first[need.need_id] = min(start.occurred_on, first.get(need.need_id, start.occurred_on))
    days = {key: (started_on - needs[key].occurred_on).days for key, started_on in first.items()}
    cuts: dict[str, dict[str, list[int]]] = {"department": defaultdict(list), "workplace_unit": defaultdict(list)}
    for key, waited in days.items():
        for cut, places in cuts.items():
            places[getattr(needs[key], cut)].append(waited)
    return Figure(
        _median(list(days.values())),
        {cut: cells({name: _median(there) for name, there in places.items()}) for cut, places in cuts.items()},
    )


def _median(days: list[int]) -> Value:
    """With how many it was taken over; a half is exact."""
    value = amount(Decimal(str(median(days)))).value if days else None
    return Value(value, denominator=Decimal(len(days)))


def placed_in_time(known: Iterable[Dated], municipality: str, as_of: date) -> Figure:
    """F9: of the candidates asked of other municipalities 90 days ago or more, those who got the job by then."""
    known = list(known)
    placed: dict[UUID, date] = {}
    for placement in _until(as_of, PlaceCandidate, known):
        placed[placement.request_id] = min(placement.occurred_on, placed.get(placement.request_id, date.max))
    others: dict[str, list[bool]] = defaultdict(list)
    for request in _until(as_of - PATIENCE, RequestCandidate, known):
        if request.from_municipality == municipality:
            in_time = placed.get(request.request_id, date.max) <= request.occurred_on + PATIENCE
            others[request.to_municipality].append(in_time)
    every = [in_time for there in others.values() for in_time in there]
    shares = {name: ratio(sum(there), len(there)) for name, there in others.items()}
    return Figure(ratio(sum(every), len(every)), {"to_municipality": cells(shares)})


def _until(day: date, kind: type[D], known: Iterable[Dated]) -> list[D]:
    return [action for action in known if isinstance(action, kind) and action.occurred_on <= day]
