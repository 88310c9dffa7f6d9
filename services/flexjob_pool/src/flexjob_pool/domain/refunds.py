"""Refunds of wages: the pool pays its share of a month, once, from what the grant draws on the month's year."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar, Literal

from contracts.event import DatedEvent
from contracts.flexjob_pool import RefundPosted, RefundReversed
from contracts.types import Code, Month, Ore, Ref, Share
from flexjob_pool.domain.applications import Application
from flexjob_pool.domain.case import Case, Key, Place
from flexjob_pool.domain.grants import Grant, Refunded, fiscal_year_of, touches
from flexjob_pool.domain.refusals import Refusal, refuse
from flexjob_pool.domain.refusals.money import (
    AlreadyReversed,
    GrantUnknown,
    GrantUsedUp,
    MonthOutsideGrant,
    MonthRefundedAlready,
    RefundBeforeGrant,
    RefundExists,
    ReversedBeforePosted,
)
from flexjob_pool.domain.rules import version
from flexjob_pool.domain.validity import codes_out_of_force
from flexjob_pool.requests.grants import PostRefund, ReverseRefund


@dataclass(frozen=True, slots=True)
class Refund:
    """The pool's share of one month's wage, posted and perhaps reversed, whole."""

    noun: ClassVar = "refund"

    refund_id: Ref
    grant_id: Ref
    payroll_month: Month
    wage_ore: Ore
    refund_ore: Ore
    posted_on: date
    status: Literal["posted", "reversed"] = "posted"
    reversed_on: date | None = None
    reason_code: Code | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return str(self.refund_id)

    @property
    def links(self) -> tuple[Place, ...]:
        """The grant that it is paid from."""
        return (("grant", str(self.grant_id)),)


def share_of(wage_ore: Ore, refund_share: Share) -> int:
    """The part of a wage that is refunded, half up to the øre."""
    return int((wage_ore * refund_share).quantize(Decimal(1), ROUND_HALF_UP))


def post_refund(about: Key, ask: PostRefund, case: Case) -> list[DatedEvent]:
    """Refund a month within the grant's period, by the rules that the application was approved under."""
    if case.find(Refund, about):
        raise RefundExists
    grant = case.known(Grant, ask.grant_id, GrantUnknown)
    application = case.known(Application, grant.application_id)
    refund_ore = share_of(ask.wage_ore, version(case.rules, application.rules_version).refund_share)
    refuse(_unpayable(grant, ask, refund_ore))
    return [RefundPosted(refund_id=about, refund_ore=refund_ore, **dict(ask))]


def posted(event: RefundPosted, case: Case) -> None:
    """The workplace has its money, and the grant has paid it."""
    grant = case.known(Grant, event.grant_id)
    case.put(replace(grant, refunds=(*grant.refunds, Refunded(event.refund_id, event.payroll_month, event.refund_ore))))
    told = event.model_dump(exclude={"occurred_on", "reason_code"})
    case.put(Refund(**told, posted_on=event.occurred_on))


def reverse_refund(about: Key, ask: ReverseRefund, case: Case) -> list[DatedEvent]:
    """Take a refund back whole, once."""
    refund = case.known(Refund, about)
    if refund.status == "reversed":
        raise AlreadyReversed
    too_early = [ReversedBeforePosted()] if ask.occurred_on < refund.posted_on else []
    refuse([*too_early, *codes_out_of_force(ask)])
    return [
        RefundReversed(
            refund_id=refund.refund_id,
            grant_id=refund.grant_id,
            payroll_month=refund.payroll_month,
            refund_ore=refund.refund_ore,
            **dict(ask),
        )
    ]


def reversed_(event: RefundReversed, case: Case) -> None:
    """The money is back, and the month may be refunded again."""
    refund, grant = case.known(Refund, event.refund_id), case.known(Grant, event.grant_id)
    case.put(replace(refund, status="reversed", reversed_on=event.occurred_on, reason_code=event.reason_code))
    left = tuple(one for one in grant.refunds if one.refund_id != event.refund_id)
    case.put(replace(grant, refunds=left))


def _unpayable(grant: Grant, ask: PostRefund, refund_ore: int) -> Iterator[Refusal]:
    if ask.occurred_on < grant.committed_on:
        yield RefundBeforeGrant()
    if not touches(ask.payroll_month, grant.period_from, grant.period_to):
        yield MonthOutsideGrant()
        return
    if any(refund.payroll_month == ask.payroll_month for refund in grant.refunds):
        yield MonthRefundedAlready()
    year = fiscal_year_of(ask.payroll_month)
    if grant.refunded_in(year) + refund_ore > grant.allocated_in(year):
        yield GrantUsedUp(fiscal_year=year)
