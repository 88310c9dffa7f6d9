"""The events within a flexjob: development steps, follow-up reviews, and the way on to ordinary employment."""

from typing import Annotated, ClassVar

from contracts.flexjob_pool import FLEXJOB_STARTED, FlexjobEvent, of_flexjob
from contracts.types import Code, Day, Hours, HoursPerWeek, Key, OfList, Ref


class DevelopmentStep(FlexjobEvent):
    """The person learned or took on something new; `hours` when the step was timed, as a course is."""

    contract: ClassVar = of_flexjob(
        name="flexjob.development_step", owner="The workplace's manager", opened_by=FLEXJOB_STARTED
    )

    step_code: Annotated[Code, OfList("development_step")]
    hours: Hours | None = None


class ReviewEvent(FlexjobEvent):
    """One follow-up of a flexjob."""

    review_id: Annotated[Ref, Key("review")]
    review_kind: Annotated[Code, OfList("review_kind")]


class ReviewDue(ReviewEvent):
    """A follow-up was called for on `occurred_on`, to be held on `due_on` at the latest."""

    contract: ClassVar = of_flexjob(name="flexjob.review_due", phase="start", opened_by=FLEXJOB_STARTED)

    due_on: Day


class ReviewHeld(ReviewEvent):
    """A follow-up was held; one that nothing called for, an early one, has an id of its own."""

    contract: ClassVar = of_flexjob(
        name="flexjob.review_held", owner="Labour market department", phase="end", opened_by=FLEXJOB_STARTED
    )

    outcome_code: Annotated[Code, OfList("review_outcome")]


class OrdinaryEmploymentObtained(FlexjobEvent):
    """A person went from a flexjob to ordinary terms, with these hours; the flexjob's own end is told by its event."""

    contract: ClassVar = of_flexjob(name="ordinary_employment.obtained", phase="end", opened_by=FLEXJOB_STARTED)

    effective_hours_per_week: HoursPerWeek
