"""Candidates between the seven municipalities that share one entry for employers."""

from typing import ClassVar

from contracts.types import Ref
from contracts.workplaces import Job7Municipality
from flexjob_pool.requests.ask import Ask


class RequestCandidate(Ask):
    """One municipality asks another for a candidate; one of them is the municipality that is served here."""

    noun: ClassVar = "job7_request"
    named: ClassVar = "request_id"

    need_id: Ref | None = None
    from_municipality: Job7Municipality
    to_municipality: Job7Municipality


class OfferCandidate(Ask):
    """The municipality that was asked has a candidate."""

    noun: ClassVar = "job7_request"

    person_ref: Ref


class PlaceCandidate(Ask):
    """The candidate has got the job."""

    noun: ClassVar = "job7_request"

    person_ref: Ref
    placement_id: Ref
