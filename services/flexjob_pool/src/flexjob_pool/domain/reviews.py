"""Follow-up reviews of flexjobs: when each is due, that it is called for once, and held once.

The first is due 30 months after the start, the next 30 months after each that is held; a temporary flexjob has a status
after 54 months besides (VEJ 9635 of 24/8/2023). Months are the calendar's, clamped.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from typing import ClassVar, Literal
from uuid import UUID, uuid5

from contracts.development import ReviewDue, ReviewHeld
from contracts.event import DatedEvent
from contracts.types import Code, OrganisationUnit, Ref
from flexjob_pool.domain.case import Case, Key, Place
from flexjob_pool.domain.flexjobs import Flexjob, FollowUp, outside
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.refusals.flexjobs import (
    AlreadyHeld,
    ReviewNotCalled,
    ReviewOfAnotherFlexjob,
    ReviewOfAnotherKind,
)
from flexjob_pool.domain.validity import codes_out_of_force, months_after
from flexjob_pool.requests.reviews import CallReview, HoldReview

AHEAD = timedelta(days=90)
REGULAR, STATUS, EARLY = "m30", "m54", "early"
REGULAR_MONTHS, STATUS_MONTHS = 30, 54


@dataclass(frozen=True, slots=True)
class Review:
    """One follow-up of a flexjob, at the department of the day on which it was first heard of."""

    noun: ClassVar = "review"

    review_id: Ref
    placement_id: Ref
    person_ref: Ref
    department: OrganisationUnit
    review_kind: Code
    status: Literal["due", "held", "lapsed"]
    called_on: date | None
    due_on: date | None
    held_on: date | None = None
    outcome_code: Code | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return str(self.review_id)

    @property
    def links(self) -> tuple[Place, ...]:
        """The flexjob that it is about."""
        return (("flexjob", str(self.placement_id)),)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A review that a flexjob has to have next; `number` tells those of one kind apart."""

    review_id: UUID
    review_kind: str
    number: int
    due_on: date


def wanted_reviews(flexjob: Flexjob) -> list[Wanted]:
    """The reviews that a flexjob has to have next and that nobody has called for, by their due days."""
    called = {review.review_id for review in flexjob.reviews}
    return sorted((one for one in _next(flexjob) if one.review_id not in called), key=lambda one: one.due_on)


def calls(flexjob: Flexjob, today: date) -> list[tuple[UUID, CallReview]]:
    """What to call for today, with its id: every review that is due within 90 days."""
    return [
        (
            one.review_id,
            CallReview(
                occurred_on=today,
                placement_id=flexjob.placement_id,
                review_kind=one.review_kind,
                number=one.number,
            ),
        )
        for one in wanted_reviews(flexjob)
        if one.due_on <= today + AHEAD
    ]


def awaiting(flexjob: Flexjob) -> Flexjob:
    """The flexjob with the due day of the next review that nobody has called for."""
    return replace(flexjob, next_review_on=next((one.due_on for one in wanted_reviews(flexjob)), None))


def call_review(about: Key, ask: CallReview, case: Case) -> list[DatedEvent]:
    """Call for a review, for the day on which it is due by now; nothing when it is no longer wanted, or called for."""
    flexjob = case.find(Flexjob, ask.placement_id)
    wanted = wanted_reviews(flexjob) if flexjob else []
    return [
        ReviewDue(
            occurred_on=ask.occurred_on,
            placement_id=flexjob.placement_id,
            person_ref=flexjob.person_ref,
            review_id=one.review_id,
            review_kind=one.review_kind,
            due_on=one.due_on,
        )
        for one in wanted
        if flexjob and str(one.review_id) == str(about)
    ]


def called(event: ReviewDue, case: Case) -> None:
    """The review is to be held."""
    flexjob = case.known(Flexjob, event.placement_id)
    review = FollowUp(event.review_id, event.review_kind, event.due_on)
    case.put(awaiting(replace(flexjob, reviews=(*flexjob.reviews, review))))
    case.put(
        Review(
            review_id=event.review_id,
            placement_id=event.placement_id,
            person_ref=event.person_ref,
            department=flexjob.department,
            review_kind=event.review_kind,
            status="due",
            called_on=event.occurred_on,
            due_on=event.due_on,
        )
    )


def hold_review(about: Key, ask: HoldReview, case: Case) -> list[DatedEvent]:
    """Hold a review that was called for, or an early one; each once, within the flexjob."""
    flexjob = case.known(Flexjob, ask.placement_id)
    review = case.find(Review, about)
    refuse([*_unfit(review, ask), *outside(flexjob, ask.occurred_on), *codes_out_of_force(ask)])
    return [ReviewHeld(review_id=about, person_ref=flexjob.person_ref, **dict(ask))]


def held(event: ReviewHeld, case: Case) -> None:
    """The review has its outcome, and the next one its day."""
    flexjob = case.known(Flexjob, event.placement_id)
    known = case.find(Review, event.review_id) or Review(
        review_id=event.review_id,
        placement_id=event.placement_id,
        person_ref=event.person_ref,
        department=flexjob.department,
        review_kind=event.review_kind,
        status="due",
        called_on=None,
        due_on=None,
    )
    case.put(replace(known, status="held", held_on=event.occurred_on, outcome_code=event.outcome_code))
    others = tuple(one for one in flexjob.reviews if one.review_id != event.review_id)
    review = FollowUp(event.review_id, event.review_kind, known.due_on, event.occurred_on)
    case.put(awaiting(replace(flexjob, reviews=(*others, review))))


def lapse(flexjob: Flexjob, case: Case) -> None:
    """Let nobody wait any more for what falls due on the day on which the flexjob is over, or later."""
    if flexjob.ended_on:
        reviews = [case.find(Review, one.review_id) for one in flexjob.reviews]
        for review in reviews:
            if review and review.status == "due" and review.due_on and review.due_on >= flexjob.ended_on:
                case.put(replace(review, status="lapsed"))


def _next(flexjob: Flexjob) -> Iterator[Wanted]:
    # An end that is registered, also one that lies ahead, leaves nothing to follow up.
    if flexjob.ended_on:
        return
    moving = [one.held_on for one in flexjob.reviews if one.held_on and one.review_kind in {REGULAR, EARLY}]
    base = max(moving, default=flexjob.started_on)
    days = (months_after(base, REGULAR_MONTHS * number) for number in count(1))
    # What fell due before the flexjob was registered here was no business of ours.
    yield _wanted(flexjob, REGULAR, len(moving) + 1, next(day for day in days if day >= flexjob.registered_on))
    status_on = months_after(flexjob.started_on, STATUS_MONTHS)
    if flexjob.grant_term == "temporary_5y" and status_on >= flexjob.registered_on:
        yield _wanted(flexjob, STATUS, 1, status_on)


def _wanted(flexjob: Flexjob, kind: str, number: int, due_on: date) -> Wanted:
    return Wanted(uuid5(flexjob.placement_id, f"{kind}/{number}"), kind, number, due_on)


def _unfit(review: Review | None, ask: HoldReview) -> Iterator[Refusal]:
    if review is None:
        if ask.review_kind != EARLY:
            yield ReviewNotCalled()
        return
    if review.placement_id != ask.placement_id:
        yield ReviewOfAnotherFlexjob()
    if review.status == "held":
        yield AlreadyHeld()
    elif review.review_kind != ask.review_kind:
        yield ReviewOfAnotherKind()
