"""What is registered wrongly in people's cases and found out months later; each kind of mistake is a small story."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from local.actions.action import Action, Dated
from local.actions.flexjobs import (
    ChangeHours,
    EndFlexjob,
    HoldReview,
    ObtainOrdinaryEmployment,
    StartFlexjob,
    TakeStep,
    Transfer,
)
from local.actions.pool import PostRefund
from local.actions.undo import Correct, Retract
from local.actions.workplaces import ReportNeed
from local.plan.chance import FIRST_DAY, LAST_DAY, Chance
from local.plan.jobs import CAUSES_DOWN, CAUSES_UP
from local.plan.story import Story, in_order
from local.plan.towns import Town

LAST_CORRECTION = LAST_DAY - timedelta(days=14)

A = TypeVar("A", bound=Action)


@dataclass(frozen=True)
class Case:
    """A person's story as it is told without mistakes."""

    chance: Chance
    town: Town
    story: Story

    def all(self, kind: type[A]) -> list[A]:
        """All actions of a kind that nobody undoes, in the order of their registration."""
        undone = {undoing.action for undoing in self.story if isinstance(undoing, Correct | Retract)}
        return [action for action in self.story if isinstance(action, kind) and action not in undone]

    def any(self, kind: type[A]) -> list[A]:
        """One action of a kind, or none."""
        found = self.all(kind)
        return [self.chance.choice(found)] if found else []

    def free_starts(self) -> list[StartFlexjob]:
        """A start within the year that neither a grant nor a need binds to its day and place."""
        found = self.all(StartFlexjob)
        return [s for s in found if s.occurred_on > FIRST_DAY and s.grant_id is None and s.need_id is None][:1]

    def others_of(self, action: StartFlexjob | ChangeHours | EndFlexjob) -> list[Dated]:
        """What else is registered of the same flexjob."""
        same = (
            a for a in self.story if isinstance(a, Dated) and getattr(a, "placement_id", None) == action.placement_id
        )
        return [other for other in same if other != action]

    def months_later(self, action: Action) -> date:
        """When a mistake is found out."""
        return min(self.chance.workday_after(action.registered_on, 20, 150), LAST_CORRECTION)


def told_with_mistakes(chance: Chance, town: Town, story: Story) -> Story:
    """Every third case has one mistake, of any kind that it has room for."""
    if not chance.one_in(3):
        return story
    case = Case(chance, town, story)
    for mistake in chance.sample(MISTAKES, len(MISTAKES)):
        if wrong := tuple(mistake(case)):
            gone = {each.instead_of for each in wrong if isinstance(each, Mistyped)}
            first_told = {each.instead_of: each.told for each in wrong if isinstance(each, Mistyped)}
            mended = (each for each in wrong if not isinstance(each, Mistyped))
            return in_order([*(first_told.get(each, each) if each in gone else each for each in story), *mended])
    return story


@dataclass(frozen=True)
class Mistyped:
    """What is told at first, instead of what is true."""

    instead_of: Action
    told: Action


def _mended(case: Case, wrong: Dated, reason: str, **values: Any) -> Iterator[Correct | Retract]:
    """A correction; one in five is itself corrected, and one in seven taken back."""
    correction = Correct(
        registered_on=case.months_later(wrong), action=wrong, reason_code=reason, values=tuple(values.items())
    )
    if correction.registered_on <= wrong.registered_on:
        return
    again = case.chance.workday_after(correction.registered_on, 5, 40)
    name, value = correction.values[0]
    at_first = value if len(values) > 1 else _nearly(value)
    if case.chance.one_in(5) and at_first is not None:
        half = replace(correction, values=((name, at_first),), reason_code="registration_error")
        yield half
        yield replace(correction, registered_on=again, action=half)
    else:
        yield correction
        if case.chance.one_in(7):
            yield Retract(registered_on=again, action=correction, reason_code="never_happened")


def _nearly(value: Any) -> Any:
    """What is easily taken for a date or an amount; None where there is nothing like it."""
    match value:
        case date():
            return value - timedelta(days=1)
        case int():
            return value * 9 // 10
        case _:
            return None


def wrong_hours(case: Case) -> Iterator[Action]:
    """Other hours than those of the contract, and than those before and after."""
    for change in case.any(ChangeHours):
        near = {
            each.effective_hours_per_week
            for each in case.others_of(change)
            if isinstance(each, StartFlexjob | ChangeHours)
        }
        tries = (change.effective_hours_per_week + Decimal(quarters) / 4 for quarters in range(1, 80))
        hours = next(tried for tried in tries if tried not in near)
        attendance = change.attendance_hours_per_week + hours - change.effective_hours_per_week
        yield from _mended(
            case,
            change,
            "registration_error",
            attendance_hours_per_week=attendance,
            effective_hours_per_week=hours,
        )


def wrong_day(case: Case) -> Iterator[Action]:
    """The new hours held some days before."""
    for change in case.any(ChangeHours):
        day = change.occurred_on - timedelta(days=case.chance.randint(3, 9))
        yield from _mended(case, change, "late_information", occurred_on=day)


def wrong_cause(case: Case) -> Iterator[Action]:
    """More capacity, or a better match, and the like."""
    for change in case.any(ChangeHours):
        causes = {"task_match", *CAUSES_UP, *CAUSES_DOWN} - {change.cause}
        yield from _mended(case, change, "registration_error", cause=case.chance.choice(sorted(causes)))


def wrong_first_day(case: Case) -> Iterator[Action]:
    """The flexjob began some days earlier."""
    for start in case.free_starts():
        day = start.occurred_on - timedelta(days=case.chance.randint(1, 6))
        yield from _mended(case, start, "late_information", occurred_on=day)


def wrong_person(case: Case) -> Iterator[Action]:
    """Somebody else's flexjob, it seemed."""
    for start in case.free_starts():
        told = replace(start, person_ref=case.chance.ref())
        yield Mistyped(start, told)  # type: ignore[misc]
        yield from _mended(case, told, "registration_error", person_ref=start.person_ref)


def wrong_place(case: Case) -> Iterator[Action]:
    """A workplace in another department."""
    for start in case.free_starts():
        if not any(isinstance(each, Transfer) for each in case.others_of(start)):
            elsewhere = [place for place in case.town.places if place[0] != start.department]
            department, unit = case.chance.choice(elsewhere)
            yield from _mended(case, start, "registration_error", department=department, workplace_unit=unit)


def wrong_last_day(case: Case) -> Iterator[Action]:
    """The flexjob ended some days earlier."""
    for end in case.any(EndFlexjob):
        day = end.occurred_on - timedelta(days=case.chance.randint(2, 8))
        if all(other.occurred_on < day - timedelta(days=1) for other in case.others_of(end)):
            yield from _mended(case, end, "late_information", occurred_on=day)


def wrong_reason(case: Case) -> Iterator[Action]:
    """There was an ordinary job in it, after all, or none."""
    for end in case.any(EndFlexjob):
        if not any(isinstance(other, ObtainOrdinaryEmployment) for other in case.others_of(end)):
            reason = case.chance.choice(("ordinary_job", "pension"))
            if reason != end.reason_code:
                yield from _mended(case, end, "late_information", reason_code=reason)


def wrong_day_of_review(case: Case) -> Iterator[Action]:
    """The talk was some weeks before, and so perhaps in time."""
    for review in case.any(HoldReview):
        if review.was_called_for:
            day = review.occurred_on - timedelta(days=4 * case.chance.randint(1, 12))
            yield from _mended(case, review, "registration_error", occurred_on=day)


def wrong_day_of_need(case: Case) -> Iterator[Action]:
    """The workplace had asked before."""
    for need in case.any(ReportNeed):
        day = need.occurred_on - timedelta(days=case.chance.randint(1, 12))
        yield from _mended(case, need, "late_information", occurred_on=day)


def wrong_wage(case: Case) -> Iterator[Action]:
    """A little less was paid."""
    for refund in case.any(PostRefund):
        yield from _mended(case, refund, "registration_error", wage_ore=refund.wage_ore * 9 // 10)


def double_entry(case: Case) -> Iterator[Action]:
    """The same flexjob under a second id, by another hand."""
    for start in case.free_starts():
        again = replace(start, placement_id=case.chance.ref())
        if taken_back := tuple(_taken_back(case, again, "double_entry")):
            yield from (again, *taken_back)


def hours_never_changed(case: Case) -> Iterator[Action]:
    """The last change of hours was agreed, and did not come about."""
    for change in case.all(ChangeHours)[-1:]:
        yield from _taken_back(case, change)


def never_ended(case: Case) -> Iterator[Action]:
    """The person stayed."""
    ends, starts = case.all(EndFlexjob), case.all(StartFlexjob)
    if len(ends) == 1 == len(starts) and starts[0].grant_id is None and not case.all(ObtainOrdinaryEmployment):
        yield from _taken_back(case, ends[0])


def step_never_taken(case: Case) -> Iterator[Action]:
    """The course was cancelled."""
    for step in case.any(TakeStep):
        yield from _taken_back(case, step)


def _taken_back(case: Case, wrong: Action, reason: str = "never_happened") -> Iterator[Action]:
    if (day := case.months_later(wrong)) > wrong.registered_on:
        yield Retract(registered_on=day, action=wrong, reason_code=reason)


MISTAKES: Sequence[Callable[[Case], Iterator[Action]]] = (
    wrong_hours,
    wrong_day,
    wrong_first_day,
    double_entry,
    wrong_last_day,
    wrong_person,
    wrong_day_of_review,
    hours_never_changed,
    wrong_cause,
    wrong_place,
    wrong_reason,
    wrong_day_of_need,
    never_ended,
    wrong_wage,
    step_never_taken,
)
