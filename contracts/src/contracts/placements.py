"""The events of jobs and work trials with external employers, from the first day until the day after the last."""

from functools import partial
from typing import Annotated, ClassVar

from contracts.event import Contract, DatedEvent, Opening
from contracts.types import Code, HoursPerWeek, Key, OfList, PNumber, Ref

# What holds for every event of a placement; its kind alone may tell of a person's health.
of_placement = partial(
    Contract,
    owner="Business service",
    legal_basis="GDPR art. 6(1)(e) and 9(2)(b); lov om en aktiv beskæftigelsesindsats",
    retention="Five years after the placement ended",
    classification="special_category",
    subject="placement/{placement_id}",
    producers=("partnerships",),
)
PLACEMENT_STARTED = Opening("placement.started", "placement")


class PlacementEvent(DatedEvent):
    """What happens in one person's placement with one external employer."""

    placement_id: Annotated[Ref, Key("placement")]
    person_ref: Annotated[Ref, Key("person")]


class PlacementStarted(PlacementEvent):
    """The first day with an external employer; effective hours are the paid ones, none in an unpaid work trial."""

    contract: ClassVar = of_placement(name="placement.started", phase="start")

    org_id: Ref
    p_number: PNumber | None = None
    employment_kind: Annotated[Code, OfList("employment_kind")]
    attendance_hours_per_week: HoursPerWeek
    effective_hours_per_week: HoursPerWeek
    origin_code: Annotated[Code, OfList("placement_origin")]
    partnership_id: Annotated[Ref | None, Key("partnership")] = None
    contract_id: Annotated[Ref | None, Key("contract")] = None


class PlacementHoursChanged(PlacementEvent):
    """Attendance or effective hours are new from `occurred_on`; both are absolute values."""

    contract: ClassVar = of_placement(name="placement.hours_changed", opened_by=PLACEMENT_STARTED)

    attendance_hours_per_week: HoursPerWeek
    effective_hours_per_week: HoursPerWeek
    cause: Annotated[Code, OfList("hours_change_cause")]


class PlacementKindChanged(PlacementEvent):
    """The placement goes on as another kind, as when a work trial becomes an ordinary job."""

    contract: ClassVar = of_placement(name="placement.kind_changed", opened_by=PLACEMENT_STARTED)

    employment_kind: Annotated[Code, OfList("employment_kind")]


class PlacementEnded(PlacementEvent):
    """The placement is over from `occurred_on`, the day after the last day; `reason_code` says why it ended."""

    contract: ClassVar = of_placement(name="placement.ended", phase="end", opened_by=PLACEMENT_STARTED)

    reason_code: Annotated[Code, OfList("placement_end_reason")]
    next_step_code: Annotated[Code, OfList("next_step")]
