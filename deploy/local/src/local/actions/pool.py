"""The pool's rules and money: budgets, applications and their decisions, grants, refunds."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from local.actions.action import Dated


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptRules(Dated):
    """The basis of the pool in a new version."""

    path: ClassVar[str] = "/v1/rules"
    refund_share: Decimal
    max_weekly_effective_hours: Decimal
    max_months: int
    eligible_units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocateBudget(Dated):
    """Money set aside for a fiscal year."""

    path: ClassVar[str] = "/v1/budgets"
    budget_id: UUID
    fiscal_year: int
    amount_ore: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustBudget(Dated):
    """A budget's new total."""

    path: ClassVar[str] = "/v1/budgets/{budget_id}/adjustments"
    budget_id: UUID
    amount_ore: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply(Dated):
    """A workplace asks for money towards a flexjob."""

    path: ClassVar[str] = "/v1/applications"
    application_id: UUID
    need_id: UUID | None = None
    department: str
    workplace_unit: str
    effective_hours_per_week: Decimal
    months: int
    amount_ore: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(Dated):
    """Yes, under the rules of the day."""

    path: ClassVar[str] = "/v1/applications/{application_id}/approve"
    application_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(Dated):
    """No, under the rules of the day."""

    path: ClassVar[str] = "/v1/applications/{application_id}/reject"
    application_id: UUID
    reject_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawApplication(Dated):
    """The workplace no longer asks; nothing was decided."""

    path: ClassVar[str] = "/v1/applications/{application_id}/withdraw"
    application_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnulApproval(Dated):
    """The yes no longer holds; nothing was granted on it."""

    path: ClassVar[str] = "/v1/applications/{application_id}/annul-approval"
    application_id: UUID
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitGrant(Dated):
    """What an approved application asked for, reserved for a half-open period."""

    path: ClassVar[str] = "/v1/grants"
    grant_id: UUID
    application_id: UUID
    period_from: date
    period_to: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustGrant(Dated):
    """Another amount, or another period."""

    path: ClassVar[str] = "/v1/grants/{grant_id}/adjustments"
    grant_id: UUID
    amount_ore: int
    period_from: date
    period_to: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseGrant(Dated):
    """What the grant does not need from this day on goes back."""

    path: ClassVar[str] = "/v1/grants/{grant_id}/release"
    grant_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRefund(Dated):
    """The pool's share of a month's wage goes to the workplace."""

    path: ClassVar[str] = "/v1/refunds"
    refund_id: UUID
    grant_id: UUID
    payroll_month: str
    wage_ore: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseRefund(Dated):
    """A refund is taken back in the accounts."""

    path: ClassVar[str] = "/v1/refunds/{refund_id}/reverse"
    refund_id: UUID
    reason_code: str
