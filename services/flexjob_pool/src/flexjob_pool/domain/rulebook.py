"""The whole of the rules: which decision answers what is asked, and which effect each event has."""

from collections.abc import Callable, Mapping
from typing import Any

from contracts import development, flexjob_pool, workplaces
from contracts.event import DatedEvent
from flexjob_pool.domain import (
    adoption,
    applications,
    budgets,
    careers,
    commitments,
    grants,
    hours,
    job7,
    needs,
    refunds,
    reviews,
    spells,
    workforce,
)
from flexjob_pool.domain.case import Case, Key, Place, Resource
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.rules import Rules
from flexjob_pool.domain.validity import check_reach
from flexjob_pool.requests import applications as of_applications
from flexjob_pool.requests import budgets as of_budgets
from flexjob_pool.requests import flexjobs as of_flexjobs
from flexjob_pool.requests import grants as of_grants
from flexjob_pool.requests import job7 as of_job7
from flexjob_pool.requests import needs as of_needs
from flexjob_pool.requests import reviews as of_reviews
from flexjob_pool.requests import rules as of_rules
from flexjob_pool.requests import workforce as of_workforce
from flexjob_pool.requests.ask import Ask

Decision = Callable[[Key, Any, Case], list[DatedEvent]]
Effect = Callable[[Any, Case], None]
Guard = Callable[[Key, Any, Case], bool]

DECISIONS: Mapping[type[Ask], Decision] = {
    of_rules.AdoptRules: adoption.adopt_rules,
    of_budgets.AllocateBudget: budgets.allocate_budget,
    of_budgets.AdjustBudget: budgets.adjust_budget,
    of_needs.ReportNeed: needs.report_need,
    of_needs.WithdrawNeed: needs.withdraw_need,
    of_needs.ProposeCandidate: needs.propose_candidate,
    of_applications.Apply: applications.apply,
    of_applications.Approve: applications.approve,
    of_applications.Reject: applications.reject,
    of_applications.WithdrawApplication: applications.withdraw_application,
    of_applications.AnnulApproval: applications.annul_approval,
    of_grants.CommitGrant: commitments.commit_grant,
    of_grants.AdjustGrant: commitments.adjust_grant,
    of_grants.ReleaseGrant: commitments.release_grant,
    of_grants.PostRefund: refunds.post_refund,
    of_grants.ReverseRefund: refunds.reverse_refund,
    of_flexjobs.StartFlexjob: spells.start_flexjob,
    of_flexjobs.ChangeHours: hours.change_hours,
    of_flexjobs.PayHours: hours.pay_hours,
    of_flexjobs.Transfer: careers.transfer,
    of_flexjobs.TakeDevelopmentStep: careers.take_development_step,
    of_flexjobs.ObtainOrdinaryEmployment: careers.obtain_ordinary_employment,
    of_flexjobs.EndFlexjob: spells.end_flexjob,
    of_flexjobs.PayEnd: spells.pay_end,
    of_reviews.CallReview: reviews.call_review,
    of_reviews.HoldReview: reviews.hold_review,
    of_job7.RequestCandidate: job7.request_candidate,
    of_job7.OfferCandidate: job7.offer_candidate,
    of_job7.PlaceCandidate: job7.place_candidate,
    of_workforce.HoldSession: workforce.hold_session,
    of_workforce.TakeSnapshot: workforce.take_snapshot,
}
EFFECTS: Mapping[type[DatedEvent], Effect] = {
    flexjob_pool.RulesAdopted: adoption.adopted,
    flexjob_pool.BudgetAllocated: budgets.allocated,
    flexjob_pool.BudgetAdjusted: budgets.adjusted,
    workplaces.NeedReported: needs.reported,
    workplaces.NeedWithdrawn: needs.withdrawn,
    workplaces.CandidateProposed: needs.proposed,
    flexjob_pool.ApplicationSubmitted: applications.submitted,
    flexjob_pool.ApplicationApproved: applications.decided,
    flexjob_pool.ApplicationRejected: applications.decided,
    flexjob_pool.ApplicationWithdrawn: applications.withdrawn,
    flexjob_pool.ApplicationApprovalAnnulled: applications.annulled,
    flexjob_pool.GrantCommitted: commitments.committed,
    flexjob_pool.GrantAdjusted: commitments.adjusted,
    flexjob_pool.GrantReleased: commitments.released,
    flexjob_pool.RefundPosted: refunds.posted,
    flexjob_pool.RefundReversed: refunds.reversed_,
    flexjob_pool.FlexjobStarted: spells.started,
    flexjob_pool.FlexjobHoursChanged: hours.changed,
    hours.HoursPaid: hours.changed,
    flexjob_pool.FlexjobTransferred: careers.transferred,
    flexjob_pool.FlexjobEnded: spells.ended,
    spells.EndPaid: spells.ended,
    development.DevelopmentStep: careers.step_taken,
    development.OrdinaryEmploymentObtained: careers.obtained,
    development.ReviewDue: reviews.called,
    development.ReviewHeld: reviews.held,
    workplaces.CandidateRequested: job7.requested,
    workplaces.CandidateOffered: job7.offered,
    workplaces.CandidatePlaced: job7.placed,
    workplaces.AwarenessSessionHeld: workforce.session_held,
    workplaces.WorkforceSnapshotTaken: workforce.snapshot_taken,
}
# What may be asked and yet would change nothing.
IDLE: Mapping[type[Ask], Guard] = {
    of_budgets.AdjustBudget: budgets.adjusts_nothing,
    of_grants.AdjustGrant: commitments.adjusts_nothing,
    of_grants.ReleaseGrant: commitments.releases_nothing,
    of_flexjobs.ChangeHours: hours.changes_nothing,
    of_flexjobs.PayHours: hours.changes_nothing,
    of_flexjobs.Transfer: careers.transfers_nothing,
}
ASKS: Mapping[str, type[Ask]] = {ask.__name__: ask for ask in DECISIONS}
RESOURCES: Mapping[str, type[Resource]] = {
    kind.noun: kind
    for kind in (
        Rules,
        budgets.Budget,
        needs.Need,
        applications.Application,
        grants.Grant,
        refunds.Refund,
        Flexjob,
        reviews.Review,
        job7.Job7Request,
        workforce.Session,
        workforce.Snapshot,
    )
}
NAMED = {
    "need_id": "need",
    "application_id": "application",
    "grant_id": "grant",
    "placement_id": "flexjob",
}


def decide(about: Key, ask: Ask, case: Case) -> list[DatedEvent]:
    """What comes of what is asked, the event that was asked for first. Raises a refusal with all its reasons."""
    check_reach(case.today, occurred_on=ask.occurred_on)
    return DECISIONS[type(ask)](about, ask, case)


def idle(about: Key, ask: Ask, case: Case) -> bool:
    """Whether what could be decided would change nothing; no fault in a story that is told again."""
    guard = IDLE.get(type(ask))
    return guard is not None and guard(about, ask, case)


def evolve(event: DatedEvent, case: Case) -> None:
    """Let the case stand as it does after an event."""
    EFFECTS[type(event)](event, case)


def needed(about: Key, ask: Ask) -> set[Place]:
    """The resources that a decision begins with: the one it is about, and every one that is named in what is asked."""
    named = {(noun, str(key)) for field, noun in NAMED.items() if (key := getattr(ask, field, None))}
    return {(ask.noun, str(about)), *named}
