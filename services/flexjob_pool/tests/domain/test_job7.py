"""Candidates between the seven municipalities."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from flexjob_pool.domain.job7 import Job7Request, Offer
from flexjob_pool.domain.refusals import CodeNotInForce, NotRegistered, Refusal
from flexjob_pool.domain.refusals.needs import NeedIsWithdrawn, NeedUnknown
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
from flexjob_pool.requests.job7 import OfferCandidate, PlaceCandidate, RequestCandidate
from flexjob_pool.requests.needs import WithdrawNeed
from services.flexjob_pool.tests.domain.conftest import DAY, TODAY, World, names

OURS, THEIRS = (
    {"from_municipality": "621", "to_municipality": "630"},
    {"from_municipality": "630", "to_municipality": "621"},
)


def a_request(world: World, **values: Any) -> UUID:
    world.ask(request_id := uuid4(), RequestCandidate, TODAY, **{**OURS, **values})
    return request_id


@pytest.mark.parametrize(
    ("asks", "asked", "refusals"),
    [
        ("621", "621", {SameMunicipality}),
        ("630", "607", {BetweenOthers}),
        ("621", "101", {CodeNotInForce}),
    ],
)
def test_a_request_is_between_this_municipality_and_another_of_the_seven(
    asks: str, asked: str, refusals: set[type[Refusal]]
) -> None:
    sides = {"from_municipality": asks, "to_municipality": asked}

    assert World().refused(uuid4(), RequestCandidate, TODAY, **sides) == refusals
    assert names(World().ask(uuid4(), RequestCandidate, TODAY, **OURS)) == ["job7.candidate_requested"]
    assert names(World().ask(uuid4(), RequestCandidate, TODAY, **THEIRS)) == ["job7.candidate_requested"]


def test_a_need_of_ours_must_be_open_and_one_of_theirs_is_theirs_to_know() -> None:
    world = World()
    need_id = world.need()

    assert a_request(world, need_id=need_id)
    assert a_request(world, **THEIRS, need_id=uuid4())
    assert world.refused(uuid4(), RequestCandidate, TODAY, **OURS, need_id=uuid4()) == {NeedUnknown}
    world.ask(need_id, WithdrawNeed, TODAY, reason_code="other")
    assert world.refused(uuid4(), RequestCandidate, TODAY, **OURS, need_id=need_id) == {NeedIsWithdrawn}


def test_a_person_is_offered_once() -> None:
    world, person_ref = World(), uuid4()
    request_id = a_request(world)

    assert world.refused(request_id, RequestCandidate, TODAY, **OURS) == {RequestExists}
    assert world.refused(request_id, OfferCandidate, TODAY - DAY, person_ref=person_ref) == {BeforeRequest}
    [event] = world.ask(request_id, OfferCandidate, TODAY, person_ref=person_ref)

    assert event.model_dump()["to_municipality"] == "630"
    request = world.one(Job7Request, request_id)
    assert (request.status, request.offers) == ("offered", (Offer(person_ref, TODAY),))
    assert world.refused(request_id, OfferCandidate, TODAY, person_ref=person_ref) == {AlreadyOffered}
    assert world.refused(uuid4(), OfferCandidate, TODAY, person_ref=person_ref) == {NotRegistered}


def test_one_person_who_was_offered_is_placed_and_closes_the_request() -> None:
    world, person_ref, placement_id = World(), uuid4(), uuid4()
    request_id = a_request(world)
    world.ask(request_id, OfferCandidate, TODAY + DAY, person_ref=person_ref)

    def refused(day: date, person_ref: UUID) -> set[type[Refusal]]:
        return world.refused(request_id, PlaceCandidate, day, person_ref=person_ref, placement_id=placement_id)

    assert refused(TODAY + DAY, uuid4()) == {NotOffered}
    assert refused(TODAY, person_ref) == {PlacedBeforeOffered}
    assert world.ask(request_id, PlaceCandidate, TODAY + DAY, person_ref=person_ref, placement_id=placement_id)

    request = world.one(Job7Request, request_id)
    assert (request.status, request.person_ref, request.placement_id, request.placed_on) == (
        "placed",
        person_ref,
        placement_id,
        TODAY + DAY,
    )
    assert refused(TODAY + DAY, person_ref) == {RequestIsClosed}
    assert world.refused(request_id, OfferCandidate, TODAY + DAY, person_ref=uuid4()) == {RequestIsClosed}


def test_a_placement_that_is_registered_here_is_that_of_the_person() -> None:
    world, person_ref = World(), uuid4()
    request_id = a_request(world)
    world.ask(request_id, OfferCandidate, TODAY, person_ref=person_ref)
    own, others = world.start(person_ref=person_ref), world.start()

    assert world.refused(request_id, PlaceCandidate, TODAY, person_ref=person_ref, placement_id=others) == {
        PlacementOfAnother
    }
    assert world.ask(request_id, PlaceCandidate, TODAY, person_ref=person_ref, placement_id=own)
