"""Requests for candidates between the municipalities of Job7; a request is closed by the first who is placed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Literal

from contracts.event import DatedEvent
from contracts.types import MunicipalityCode, Ref
from contracts.workplaces import CandidateOffered, CandidatePlaced, CandidateRequested
from flexjob_pool.domain.case import Case, Key, Place
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.needs import unfit
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.refusals.workplaces import (
    AlreadyOffered,
    BeforeRequest,
    BetweenOthers,
    NotOffered,
    PlacedBeforeOffered,
    PlacementOfAnother,
    RequestExists,
    RequestIsClosed,
    SameMunicipality,
)
from flexjob_pool.domain.validity import codes_out_of_force
from flexjob_pool.requests.job7 import OfferCandidate, PlaceCandidate, RequestCandidate


@dataclass(frozen=True, slots=True)
class Offer:
    """A person whom the municipality that was asked can offer."""

    person_ref: Ref
    occurred_on: date


@dataclass(frozen=True, slots=True)
class Job7Request:
    """One municipality's request to another, who was offered, and who got the job."""

    noun: ClassVar = "job7_request"

    request_id: Ref
    need_id: Ref | None
    from_municipality: MunicipalityCode
    to_municipality: MunicipalityCode
    requested_on: date
    status: Literal["requested", "offered", "placed"] = "requested"
    offers: tuple[Offer, ...] = ()
    person_ref: Ref | None = None
    placement_id: Ref | None = None
    placed_on: date | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return str(self.request_id)

    @property
    def links(self) -> tuple[Place, ...]:
        """The need that it names, and the placement that came of it, where they are registered here."""
        named = (("need", self.need_id), ("flexjob", self.placement_id))
        return tuple((noun, str(key)) for noun, key in named if key)


def request_candidate(about: Key, ask: RequestCandidate, case: Case) -> list[DatedEvent]:
    """Ask another municipality for a candidate, or be asked by it."""
    if case.find(Job7Request, about):
        raise RequestExists
    # A need that another municipality asks about is registered there.
    own = ask.from_municipality == case.municipality
    need = unfit(ask.need_id, ask.occurred_on, case) if own else ()
    refuse([*codes_out_of_force(ask), *_between(ask, case.municipality), *need])
    return [CandidateRequested(request_id=about, **dict(ask))]


def requested(event: CandidateRequested, case: Case) -> None:
    """The request is open."""
    told = event.model_dump(exclude={"occurred_on", "reason_code"})
    case.put(Job7Request(**told, requested_on=event.occurred_on))


def offer_candidate(about: Key, ask: OfferCandidate, case: Case) -> list[DatedEvent]:
    """Offer a person, once, as long as nobody is placed."""
    request = _open(about, case)
    too_early = [BeforeRequest()] if ask.occurred_on < request.requested_on else []
    refuse([*too_early, *([AlreadyOffered()] if _offer_of(request, ask.person_ref) else [])])
    return [CandidateOffered(**_told_of(request), **dict(ask))]


def offered(event: CandidateOffered, case: Case) -> None:
    """The person is one of those offered."""
    request = case.known(Job7Request, event.request_id)
    offers = (*request.offers, Offer(event.person_ref, event.occurred_on))
    case.put(replace(request, status="offered", offers=offers))


def place_candidate(about: Key, ask: PlaceCandidate, case: Case) -> list[DatedEvent]:
    """Tell that a person who was offered has got the job."""
    request = _open(about, case)
    refuse([*_not_offered(_offer_of(request, ask.person_ref), ask), *_of_another(ask, case)])
    return [CandidatePlaced(**_told_of(request), **dict(ask))]


def placed(event: CandidatePlaced, case: Case) -> None:
    """The request is closed."""
    request = case.known(Job7Request, event.request_id)
    case.put(
        replace(
            request,
            status="placed",
            person_ref=event.person_ref,
            placement_id=event.placement_id,
            placed_on=event.occurred_on,
        )
    )


def _between(ask: RequestCandidate, served: str) -> Iterator[Refusal]:
    if ask.from_municipality == ask.to_municipality:
        yield SameMunicipality()
    elif served not in {ask.from_municipality, ask.to_municipality}:
        yield BetweenOthers()


def _open(about: Key, case: Case) -> Job7Request:
    request = case.known(Job7Request, about)
    if request.status == "placed":
        raise RequestIsClosed
    return request


def _offer_of(request: Job7Request, person_ref: Ref) -> Offer | None:
    return next((offer for offer in request.offers if offer.person_ref == person_ref), None)


def _not_offered(offer: Offer | None, ask: PlaceCandidate) -> Iterator[Refusal]:
    if offer is None:
        yield NotOffered()
    elif ask.occurred_on < offer.occurred_on:
        yield PlacedBeforeOffered()


def _of_another(ask: PlaceCandidate, case: Case) -> Iterator[Refusal]:
    flexjob = case.find(Flexjob, ask.placement_id)
    if flexjob and flexjob.person_ref != ask.person_ref:
        yield PlacementOfAnother()


def _told_of(request: Job7Request) -> dict[str, Any]:
    """What every later event tells of a request again."""
    return {
        "request_id": request.request_id,
        "need_id": request.need_id,
        "from_municipality": request.from_municipality,
        "to_municipality": request.to_municipality,
    }
