"""Whatever is asked, in whatever order: what holds of every story, and that each can be told again."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
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
from flexjob_pool.requests import rules
from flexjob_pool.requests.ask import Ask
from services.flexjob_pool.tests.domain.asking import ANYTHING, FIRST_DAY, JOBS, beginning
from services.flexjob_pool.tests.domain.conftest import DAY

PUBLISHED = {event.contract.name: event for event in EVENTS}
KINDS = rulebook.RESOURCES
STORIES = st.lists(st.tuples(st.integers(0, 60), ANYTHING), min_size=25, max_size=50)
# Each is long; what asks them are several.
some = settings(max_examples=30)


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
