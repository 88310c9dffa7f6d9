"""The door on the account of a lane: whether every delivery and every fact is in exactly one count."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field, model_validator

from chassis import refusals
from chassis.http import Door, door
from chassis.problems import Said
from contracts.types import MunicipalityCode
from impact.catalogue import INDICATORS, measures_of
from impact.chronicle import Outcome
from impact.conservation import EXPLAINED, Account, Balance, DeliveryDay, FactDay
from impact.doors.balance import (
    AccountShown,
    BalanceShown,
    CompletenessShown,
    DeliveriesShown,
    DeliveryCounts,
    DeliveryDayShown,
    FactCounts,
    FactDayShown,
    FactsShown,
    Side,
    Texts,
)
from impact.store import conservation
from impact.store.figures import known, snapshot
from impact.store.thorough import thorough_balance

LEDGER = "ledger"

router = APIRouter(tags=["ledger"])


class Asked(BaseModel):
    """Which account is asked for; a parameter that does not exist is refused rather than overlooked."""

    municipality: MunicipalityCode | None = Field(
        None, description="The token's own, which it is unless given.", examples=["621"]
    )
    thorough: bool = Field(
        default=False,
        description="Also compare the counters with the rows that they count, and the rows with the raw bodies that "
        "they follow from. Reads the whole lane: seconds, not milliseconds. It also wants a heartbeat of every source.",
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_else(cls, given: Any) -> Any:
        if set(given) - set(cls.model_fields):
            names = ", ".join(cls.model_fields)
            raise ValueError(Said(f"findes ikke her, kun {names}", f"does not exist here, only {names}"))
        return given


@router.get("/v1/ledger/balance")
async def show_balance(
    at: Annotated[Door, Depends(door(LEDGER))], asked: Annotated[Asked, Query()], response: Response
) -> BalanceShown:
    """Whether anything was lost or left out, from one snapshot: deliveries, facts, and what producers say they sent."""
    response.headers["cache-control"] = "no-store"
    municipality = asked.municipality or at.principal.municipality
    if municipality != at.principal.municipality:
        raise refusals.other_municipality()
    async with snapshot(at.pool) as db:
        lane = await known(db, municipality)
        deliveries = await conservation.delivery_days(db, municipality)
        facts = await conservation.fact_days(db, municipality)
        if asked.thorough:
            found = await thorough_balance(db, municipality, measures_of(INDICATORS))
        else:
            found = await conservation.balance(db, municipality)
    return BalanceShown(
        municipality=municipality,
        position=lane.position,
        recorded_at=lane.at,
        thorough=asked.thorough,
        **_verdict(found),
        deliveries=_deliveries(deliveries),
        facts=_facts(facts),
    )


def _verdict(balance: Balance) -> dict[str, Any]:
    return {
        "balanced": balance.balanced,
        "complete": balance.complete,
        "completeness": [CompletenessShown.model_validate(each) for each in balance.completeness],
        "checked": list(balance.names),
        "open_": [_account(account) for account in balance.open_accounts],
    }


def _account(account: Account) -> AccountShown:
    title, left, right = EXPLAINED[account.name]
    return AccountShown(
        account=account.name,
        title=Texts(da=title.danish, en=title.english),
        of=account.of,
        left=Side(is_=left, count=account.left),
        right=Side(is_=right, count=account.right),
        odd=account.odd,
    )


def _deliveries(days: Iterable[DeliveryDay]) -> DeliveriesShown:
    shown = [DeliveryDayShown.model_validate(day) for day in days]
    return DeliveriesShown(total=DeliveryCounts(**_total(DeliveryCounts, shown)), days=shown)


def _facts(days: Iterable[FactDay]) -> FactsShown:
    shown = [
        FactDayShown(
            source=day.source, received_on=day.received_on, first_copies=day.first_copies, **_counts(day.outcomes)
        )
        for day in days
    ]
    return FactsShown(total=FactCounts(**_total(FactCounts, shown)), days=shown)


def _counts(outcomes: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome.value: outcomes[outcome] for outcome in Outcome}


def _total(counts: type[BaseModel], days: Iterable[BaseModel]) -> dict[str, int]:
    every = list(days)
    return {name: sum(getattr(day, name) for day in every) for name in counts.model_fields}
