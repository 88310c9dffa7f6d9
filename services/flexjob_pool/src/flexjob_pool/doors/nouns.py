"""The nouns of the pool: where each one's doors are, what may be asked there, and what its lists are narrowed by."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.types import Code, Day, Month, MunicipalityCode, OrganisationUnit, Ref
from flexjob_pool.domain.applications import Application
from flexjob_pool.domain.budgets import Budget
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.grants import Grant
from flexjob_pool.domain.job7 import Job7Request
from flexjob_pool.domain.needs import Need
from flexjob_pool.domain.refunds import Refund
from flexjob_pool.domain.reviews import Review
from flexjob_pool.domain.rules import Rules
from flexjob_pool.domain.workforce import Session, Snapshot
from flexjob_pool.doors.building import Noun
from flexjob_pool.requests import applications, budgets, flexjobs, grants, job7, needs, reviews, rules, workforce

Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
Year = Annotated[int, Field(ge=1990, le=2100)]
SNAPSHOT = Annotated[str, Field(max_length=75, pattern=r"^[A-Za-zÆØÅæøå][0-9A-Za-zÆØÅæøå_-]{0,63}/\d{4}-\d{2}-\d{2}$")]
WORKPLACE = {"department": OrganisationUnit, "workplace_unit": OrganisationUnit}

NOUNS = (
    Noun(Rules, "/v1/rules", {"rules_version": Number}, {"": rules.AdoptRules}, cursor=Number),
    Noun(
        Budget,
        "/v1/budgets",
        {"budget_id": Ref},
        {"": budgets.AllocateBudget, "/{budget_id}/adjustments": budgets.AdjustBudget},
        {"fiscal_year": Year},
    ),
    Noun(
        Need,
        "/v1/needs",
        {"need_id": Ref},
        {
            "": needs.ReportNeed,
            "/{need_id}/withdraw": needs.WithdrawNeed,
            "/{need_id}/candidates": needs.ProposeCandidate,
        },
        {"status": Literal["open", "filled", "withdrawn"], **WORKPLACE, "person_ref": Ref},
        among={"person_ref": "candidates"},
    ),
    Noun(
        Application,
        "/v1/applications",
        {"application_id": Ref},
        {
            "": applications.Apply,
            "/{application_id}/approve": applications.Approve,
            "/{application_id}/reject": applications.Reject,
            "/{application_id}/withdraw": applications.WithdrawApplication,
            "/{application_id}/annul-approval": applications.AnnulApproval,
        },
        {
            "status": Literal["submitted", "approved", "rejected", "withdrawn", "annulled"],
            **WORKPLACE,
            "need_id": Ref,
        },
    ),
    Noun(
        Grant,
        "/v1/grants",
        {"grant_id": Ref},
        {
            "": grants.CommitGrant,
            "/{grant_id}/adjustments": grants.AdjustGrant,
            "/{grant_id}/release": grants.ReleaseGrant,
        },
        {"status": Literal["committed", "released"], **WORKPLACE, "application_id": Ref, "ends_before": Day},
        before={"ends_before": "period_to"},
    ),
    Noun(
        Refund,
        "/v1/refunds",
        {"refund_id": Ref},
        {"": grants.PostRefund, "/{refund_id}/reverse": grants.ReverseRefund},
        {"grant_id": Ref, "payroll_month": Month, "status": Literal["posted", "reversed"]},
    ),
    Noun(
        Flexjob,
        "/v1/flexjobs",
        {"placement_id": Ref},
        {
            "": flexjobs.StartFlexjob,
            "/{placement_id}/hours-changes": flexjobs.ChangeHours,
            "/{placement_id}/transfers": flexjobs.Transfer,
            "/{placement_id}/development-steps": flexjobs.TakeDevelopmentStep,
            "/{placement_id}/reviews": reviews.HoldReview,
            "/{placement_id}/ordinary-employment": flexjobs.ObtainOrdinaryEmployment,
            "/{placement_id}/end": flexjobs.EndFlexjob,
        },
        {
            "status": Literal["running", "ended"],
            **WORKPLACE,
            "person_ref": Ref,
            "grant_id": Ref,
            "need_id": Ref,
        },
    ),
    Noun(
        Review,
        "/v1/reviews",
        {"review_id": Ref},
        {},
        {
            "status": Literal["due", "held", "lapsed"],
            "review_kind": Code,
            "placement_id": Ref,
            "person_ref": Ref,
            "department": OrganisationUnit,
            "due_before": Day,
        },
        before={"due_before": "due_on"},
    ),
    Noun(
        Job7Request,
        "/v1/job7-requests",
        {"request_id": Ref},
        {
            "": job7.RequestCandidate,
            "/{request_id}/offers": job7.OfferCandidate,
            "/{request_id}/placements": job7.PlaceCandidate,
        },
        {
            "status": Literal["requested", "offered", "placed"],
            "from_municipality": MunicipalityCode,
            "to_municipality": MunicipalityCode,
            "need_id": Ref,
            "person_ref": Ref,
        },
        among={"person_ref": "offers"},
    ),
    Noun(Session, "/v1/awareness-sessions", {"session_id": Ref}, {"": workforce.HoldSession}),
    Noun(
        Snapshot,
        "/v1/workforce-snapshots",
        {"department": OrganisationUnit, "occurred_on": Day},
        {"": workforce.TakeSnapshot},
        {"department": OrganisationUnit, "occurred_on": Day},
        cursor=SNAPSHOT,
    ),
)
PLACES = {noun.resource.noun: noun.path for noun in NOUNS}
