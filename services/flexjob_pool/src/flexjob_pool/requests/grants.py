"""Reserving money and giving it back, and paying from it."""

from typing import Annotated, ClassVar

from contracts.types import Code, Day, Month, OfList, Ref
from flexjob_pool.requests.ask import MONEY, Ask, Money


class CommitGrant(Ask):
    """The approved amount, reserved for a half-open period."""

    noun: ClassVar = "grant"
    named: ClassVar = "grant_id"
    beside: ClassVar = MONEY

    application_id: Ref
    period_from: Day
    period_to: Day


class AdjustGrant(Ask):
    """Another amount for another half-open period."""

    noun: ClassVar = "grant"
    beside: ClassVar = MONEY

    amount_ore: Money
    period_from: Day
    period_to: Day


class ReleaseGrant(Ask):
    """What is not needed from that day on goes back to the pool."""

    noun: ClassVar = "grant"
    beside: ClassVar = MONEY


class PostRefund(Ask):
    """A month's wage, of which the pool pays its share."""

    noun: ClassVar = "refund"
    named: ClassVar = "refund_id"

    grant_id: Ref
    payroll_month: Month
    wage_ore: Money


class ReverseRefund(Ask):
    """The whole refund is taken back, and why."""

    noun: ClassVar = "refund"

    reason_code: Annotated[Code, OfList("refund_reversal")]
