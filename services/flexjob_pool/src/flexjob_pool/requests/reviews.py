"""Following up on a flexjob."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.types import Code, OfList, Ref
from flexjob_pool.requests.ask import Ask


class CallReview(Ask):
    """The service calls for a review; `number` tells those of one kind apart, from 1."""

    noun: ClassVar = "review"
    by_itself: ClassVar = True

    placement_id: Ref
    review_kind: Annotated[Code, OfList("review_kind")]
    number: Annotated[int, Field(strict=True, ge=1)]


class HoldReview(Ask):
    """A review that was called for was held, or an early one that nothing called for."""

    noun: ClassVar = "review"
    named: ClassVar = "review_id"
    within: ClassVar = "placement_id"

    placement_id: Ref
    review_kind: Annotated[Code, OfList("review_kind")]
    outcome_code: Annotated[Code, OfList("review_outcome")]
