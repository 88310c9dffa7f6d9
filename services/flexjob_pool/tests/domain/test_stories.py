"""Whatever is asked, in whatever order: what holds of every story, and that each can be told again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts.catalogue import EVENTS
from contracts.development import ReviewDue
from contracts.event import DatedEvent
from contracts.flexjob_pool import (
    ApplicationApproved,
    ApplicationRejected,
    ApplicationWithdrawn,
    FlexjobStarted,
    FlexjobTransferred,
    GrantReleased,
)
from flexjob_pool.domain import rulebook
from flexjob_pool.domain.applications import Application, exclusions
from flexjob_pool.domain.case import Case, Key, Resource
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.grants import Grant, amounts
from flexjob_pool.domain.money import steps
from flexjob_pool.domain.refunds import Refund
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.domain.reviews import calls
from flexjob_pool.domain.rules import rules_on, version
from flexjob_pool.requests import applications, budgets, flexjobs, grants, job7, needs, reviews, rules
from flexjob_pool.requests.ask import Ask
from services.flexjob_pool.tests.domain.conftest import DAY, UNIT, asked

FIRST_DAY = date(2026, 1, 1)
PUBLISHED = {event.contract.name: event for event in EVENTS}
KINDS = rulebook.RESOURCES


def ids(noun: int, most: int) -> list[UUID]:
    """A few ids, so that what is asked often concerns the same."""
    return [UUID(int=noun << 64 | number) for number in range(1, most + 1)]


NEEDS, WISHES, GRANTS, REFUNDS, JOBS, REVIEWS, REQUESTS, PERSONS, EMPLOYMENTS, BUDGETS = (
    ids(noun, most) for noun, most in enumerate([2, 5, 3, 4, 3, 2, 1, 2, 1, 1], start=1)
)
SOME_DAY = st.integers(0, 25).map(lambda n: FIRST_DAY + n * 30 * DAY)
UNITS = st.sampled_from([UNIT, {"department": "Teknik", "workplace_unit": "Vej"}])
HOURS = st.sampled_from(["4", "8", "12.5", "25"])
AMOUNTS = st.integers(1, 300_000)
PERIODS = st.sampled_from(
    [
        {"period_from": FIRST_DAY + start * DAY, "period_to": FIRST_DAY + (start + days) * DAY}
        for start in (0, 30, 200)
        for days in (0, 180, 365)
    ]
)


def asking(
    keys: Sequence[Key],
    kind: type[Ask],
    *parts: st.SearchStrategy[dict[str, Any]],
    **values: st.SearchStrategy[Any],
) -> st.SearchStrategy[tuple[Key, Ask]]:
    """Something to ask about one of some resources; parts are fields that go together."""
    fields = st.tuples(st.fixed_dictionaries({"occurred_on": SOME_DAY, **values}), *parts)
    asks = fields.map(lambda given: kind.model_validate({name: one for part in given for name, one in part.items()}))
    return st.tuples(st.sampled_from(keys), asks)


def pick(keys: list[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(keys)


HOURS_ASKED = {"attendance_hours_per_week": st.just("25"), "effective_hours_per_week": HOURS}
ANYTHING = st.one_of(
    asking(
        REFUNDS,
        grants.PostRefund,
        grant_id=pick(GRANTS),
        payroll_month=pick(["2026-03", "2026-12", "2027-01"]),
        wage_ore=AMOUNTS,
    ),
    asking(REFUNDS, grants.ReverseRefund, reason_code=pick(["other"])),
    asking(GRANTS, grants.CommitGrant, PERIODS, application_id=pick(WISHES)),
    asking(GRANTS, grants.AdjustGrant, PERIODS, amount_ore=AMOUNTS),
    asking(GRANTS, grants.ReleaseGrant),
    asking(
        JOBS,
        flexjobs.StartFlexjob,
        UNITS,
        person_ref=pick(PERSONS),
        grant_id=pick([None, *GRANTS]),
        need_id=pick([None, *NEEDS]),
        grant_term=pick(["temporary_5y", "permanent"]),
        retention=st.booleans(),
        scheme=pick(["post2013"]),
        **HOURS_ASKED,
    ),
    asking(JOBS, flexjobs.ChangeHours, cause=pick(["task_match"]), **HOURS_ASKED),
    asking(JOBS, flexjobs.PayHours, employment_ref=pick(EMPLOYMENTS), **HOURS_ASKED),
    asking(JOBS, flexjobs.Transfer, UNITS),
    asking(JOBS, flexjobs.TakeDevelopmentStep, step_code=pick(["mentor"])),
    asking(JOBS, flexjobs.ObtainOrdinaryEmployment, effective_hours_per_week=HOURS),
    asking(JOBS, flexjobs.EndFlexjob, reason_code=pick(["other"])),
    asking(JOBS, flexjobs.PayEnd, employment_ref=pick(EMPLOYMENTS)),
    asking(
        REVIEWS,
        reviews.HoldReview,
        placement_id=pick(JOBS),
        review_kind=pick(["early", "m30"]),
        outcome_code=pick(["continues"]),
    ),
    asking(WISHES, applications.Apply, UNITS, effective_hours_per_week=HOURS, months=pick([6, 12]), amount_ore=AMOUNTS),
    asking(WISHES, applications.Approve),
    asking(WISHES, applications.Reject, reject_code=pick(["no_match"])),
    asking(WISHES, applications.WithdrawApplication),
    asking(WISHES, applications.AnnulApproval, reason_code=pick(["not_used"])),
    asking(
        [""],
        rules.AdoptRules,
        refund_share=pick(["0.5", "0.3333"]),
        max_weekly_effective_hours=pick([None, "10", "20"]),
        eligible_units=pick([["Senior"]]),
    ),
    asking(BUDGETS, budgets.AdjustBudget, amount_ore=AMOUNTS),
    asking(NEEDS, needs.WithdrawNeed, reason_code=pick(["other"])),
    asking(NEEDS, needs.ProposeCandidate, person_ref=pick(PERSONS)),
    asking(REQUESTS, job7.OfferCandidate, person_ref=pick(PERSONS)),
    asking(REQUESTS, job7.PlaceCandidate, person_ref=pick(PERSONS), placement_id=pick(JOBS)),
)
STORIES = st.lists(st.tuples(st.integers(0, 60), ANYTHING), min_size=25, max_size=50)
# Each is long; what asks them are several.
some = settings(max_examples=30)


def beginning() -> Iterator[tuple[Key, Ask]]:
    """A municipality in which something is going on already, so that most of what is asked concerns something."""
    yield "", asked(rules.AdoptRules, FIRST_DAY, refund_share="0.5", eligible_units=["Senior"])
    yield BUDGETS[0], asked(budgets.AllocateBudget, FIRST_DAY, fiscal_year=2026, amount_ore=10**9)
    hours = {"effective_hours_per_week_from": "4", "effective_hours_per_week_to": "12"}
    for need_id in NEEDS:
        yield need_id, asked(needs.ReportNeed, FIRST_DAY, **UNIT, task_codes=["care"], **hours)
    wish = {"effective_hours_per_week": "12.5", "months": 12, "amount_ore": 300_000}
    for application_id in WISHES[:4]:
        yield application_id, asked(applications.Apply, FIRST_DAY, **UNIT, **wish)
    for application_id in WISHES[:2]:
        yield application_id, asked(applications.Approve, FIRST_DAY)
    period = {"period_from": FIRST_DAY, "period_to": FIRST_DAY + 365 * DAY}
    yield GRANTS[0], asked(grants.CommitGrant, FIRST_DAY, application_id=WISHES[0], **period)
    job = {"attendance_hours_per_week": "12", "effective_hours_per_week": "8", "grant_term": "temporary_5y"}
    person = {"person_ref": PERSONS[0], "retention": False, "scheme": "post2013", "grant_id": GRANTS[0]}
    yield JOBS[0], asked(flexjobs.StartFlexjob, FIRST_DAY, **UNIT, **job, **person)
    yield REQUESTS[0], asked(job7.RequestCandidate, FIRST_DAY, from_municipality="621", to_municipality="630")


@dataclass(frozen=True)
class Told:
    """A decision that was taken, on its day."""

    today: date
    about: Key
    ask: Ask
    events: list[DatedEvent]


Answer = list[DatedEvent] | frozenset[tuple[type[Refusal], str]]


def answer(about: Key, ask: Ask, case: Case) -> Answer:
    """The events, or why not; the first take effect."""
    try:
        events = rulebook.decide(about, ask, case)
    except Refusal as refusal:
        return frozenset((type(reason), reason.field) for reason in refusal.reasons)
    for event in events:
        rulebook.evolve(event, case)
    return events


def everything(case: Case) -> dict[tuple[str, str], Resource]:
    """All that is registered in a case that began with nothing and was never settled."""
    return dict(case.changed)


def opened(about: Key, ask: Ask, world: Case) -> Case:
    """A case of only what a decision begins with and what that links to."""
    resources, found, new = everything(world), {}, rulebook.needed(about, ask)
    while new:
        found.update({place: resources[place] for place in new if place in resources})
        new = {link for one in found.values() for link in one.links if link in resources} - set(found)
    return Case(found.values(), rules=world.rules, municipality=world.municipality, today=world.today)


def told(story: list[tuple[int, tuple[Key, Ask]]]) -> tuple[Case, list[Told]]:
    """Ask all of it, and let the service look at its calendar after each."""
    case = Case(municipality="621", today=FIRST_DAY)
    decisions: list[Told] = []

    def tell(about: Key, ask: Ask) -> None:
        events = answer(about, ask, case)
        if isinstance(events, list):
            decisions.append(Told(case.today, about, ask, events))

    for about, ask in beginning():
        tell(about, ask)
    for days, (about, ask) in story:
        case.today += days * DAY
        tell(about, ask)
        for placement_id in JOBS:
            flexjob = case.find(Flexjob, placement_id)
            for review_id, call in calls(flexjob, case.today) if flexjob else []:
                tell(review_id, call)
    return case, decisions


@some
@given(story=STORIES)
def test_a_story_told_again_from_what_was_kept_of_it_gives_the_same_events_and_resources(
    story: list[tuple[int, tuple[Key, Ask]]],
) -> None:
    case, decisions = told(story)
    again = Case(municipality="621", today=FIRST_DAY)

    for one in decisions:
        again.today = one.today
        kept = rulebook.ASKS[type(one.ask).__name__].model_validate_json(one.ask.model_dump_json())
        assert answer(str(one.about), kept, again) == one.events

    assert everything(again) == everything(case)
    for resource in everything(case).values():
        stored = TypeAdapter(KINDS[resource.noun])
        assert stored.validate_json(stored.dump_json(resource)) == resource


@some
@given(story=STORIES)
def test_a_decision_looks_at_nothing_that_what_it_begins_with_does_not_link_to(
    story: list[tuple[int, tuple[Key, Ask]]],
) -> None:
    world, _ = told([])
    for days, (about, ask) in story:
        world.today += days * DAY
        case = opened(about, ask, world)
        before = everything(world)

        expected = answer(about, ask, case)

        assert answer(about, ask, world) == expected
        assert {place for place, one in everything(world).items() if before.get(place) is not one} == set(case.changed)
        assert all(everything(world)[place] == one for place, one in case.changed.items())


@some
@given(story=STORIES)
def test_every_event_is_one_that_is_published_and_the_first_was_asked_for(
    story: list[tuple[int, tuple[Key, Ask]]],
) -> None:
    for one in told(story)[1]:
        assert len({event.contract.name for event in one.events}) == len(one.events)
        for event in one.events:
            model = PUBLISHED[event.contract.name]
            body = event.model_dump(mode="json")
            assert set(body) == set(model.model_fields)
            assert model.model_validate(body).model_dump(mode="json") == body
        assert all(event.occurred_on == one.ask.occurred_on for event in one.events[:1])


@some
@given(story=STORIES)
def test_what_a_grant_draws_adds_up_and_is_never_less_than_what_was_refunded(
    story: list[tuple[int, tuple[Key, Ask]]],
) -> None:
    case, decisions = told(story)
    releases = Counter(event.grant_id for one in decisions for event in one.events if isinstance(event, GrantReleased))
    posted: dict[UUID, set[UUID]] = {}
    for one in everything(case).values():
        if isinstance(one, Refund) and one.status == "posted":
            posted.setdefault(one.grant_id, set()).add(one.refund_id)

    assert all(count == 1 for count in releases.values())
    for grant in (one for one in everything(case).values() if isinstance(one, Grant)):
        assert sum(amounts(grant.allocations).values()) == grant.amount_ore
        assert grant.amount_ore <= case.known(Application, grant.application_id).amount_ore
        assert (grant.status == "released") == (releases[grant.grant_id] == 1)
        for year in {year for year, _, _ in steps(grant)}:
            assert sum(ore for of, _, ore in steps(grant) if of == year) == -grant.allocated_in(year)
            assert grant.refunded_in(year) <= grant.allocated_in(year)
        assert {refund.refund_id for refund in grant.refunds} == posted.get(grant.grant_id, set())
        assert len({refund.payroll_month for refund in grant.refunds}) == len(grant.refunds)


@some
@given(story=STORIES)
def test_an_application_is_decided_once_and_never_granted_what_the_rules_of_the_day_exclude(
    story: list[tuple[int, tuple[Key, Ask]]],
) -> None:
    case, decisions = told(story)
    final = ApplicationApproved | ApplicationRejected | ApplicationWithdrawn
    closed = Counter(event.application_id for one in decisions for event in one.events if isinstance(event, final))

    assert all(count == 1 for count in closed.values())
    for number, one in enumerate(decisions):
        for event in one.events:
            if isinstance(event, ApplicationApproved):
                known = [told.events[0] for told in decisions[:number] if isinstance(told.ask, rules.AdoptRules)]
                versions = case.rules[: len(known)]
                application = case.known(Application, event.application_id)
                assert event.rules_version == rules_on(versions, event.occurred_on).rules_version
                assert not list(exclusions(version(versions, event.rules_version), application))
    for grant in (one for one in everything(case).values() if isinstance(one, Grant)):
        assert closed[grant.application_id]


@some
@given(story=STORIES)
def test_a_flexjob_is_one_spell_with_one_start_and_a_review_once_per_due_date(
    story: list[tuple[int, tuple[Key, Ask]]],
) -> None:
    case, decisions = told(story)
    events = [event for one in decisions for event in one.events]
    started = {event.placement_id: event for event in events if isinstance(event, FlexjobStarted)}
    jobs = [one for one in everything(case).values() if isinstance(one, Flexjob)]
    due = [(event.placement_id, event.review_kind, event.due_on) for event in events if isinstance(event, ReviewDue)]

    assert len(started) == sum(isinstance(event, FlexjobStarted) for event in events)
    assert {job.placement_id for job in jobs} == set(started)
    for job in jobs:
        moves = [
            event for event in events if isinstance(event, FlexjobTransferred) if event.placement_id == job.placement_id
        ]
        assert job.started_on == started[job.placement_id].occurred_on
        assert len(job.stays) == len(moves) + 1
        assert all(stay.occurred_on >= job.started_on for stay in job.stays)
        assert [step.occurred_on for step in job.hours] == sorted(step.occurred_on for step in job.hours)
    assert len(set(due)) == len(due)
