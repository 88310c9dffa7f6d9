"""Adopting rules, and seeing beforehand what they would do to the year's applications."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.event import DatedEvent
from contracts.flexjob_pool import RulesAdopted
from contracts.types import Code, Ore, Ref
from flexjob_pool.domain.applications import Application, exclusions
from flexjob_pool.domain.case import Case, Key
from flexjob_pool.domain.rules import Rules, next_version, rules_on, version
from flexjob_pool.requests.rules import AdoptRules


@dataclass(frozen=True, slots=True)
class Previewed:
    """An application and, as codes of rejection, why the new rules would exclude it."""

    application_id: Ref
    amount_ore: Ore
    reject_codes: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Applications that new rules treat alike, and what they ask for together."""

    applications: tuple[Previewed, ...]
    amount_ore: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What new rules would do to applications, beside the rules that these were decided by or would be today."""

    newly_excluded: Group
    newly_admitted: Group
    unchanged: Group


def adopt_rules(_: Key, ask: AdoptRules, case: Case) -> list[DatedEvent]:
    """Adopt the next version of the rules; those before it stay as they are."""
    return [RulesAdopted(rules_version=next_version(case.rules), **dict(ask))]


def adopted(event: RulesAdopted, case: Case) -> None:
    """The version is known from now on."""
    rules = Rules(**event.model_dump(exclude={"reason_code"}))
    case.put(rules)
    case.rules = (*case.rules, rules)


def preview(ask: AdoptRules, applications: Iterable[Application], versions: Sequence[Rules], today: date) -> Preview:
    """What would become of the applications of the new rules' first year; those withdrawn ask for nothing any more.

    A decided application is held against the rules of its decision, so that one turned down for another reason than
    the rules is not taken for admitted; an undecided one against the rules that hold today, if there are any.
    """
    new = Rules(rules_version=next_version(versions), **dict(ask))
    year = [one for one in applications if one.submitted_on.year == new.occurred_on.year and one.status != "withdrawn"]
    compared = [(_excluded_so_far(one, versions, today), _previewed(one, new)) for one in year]
    return Preview(
        newly_excluded=_group(one for before, one in compared if one.reject_codes and not before),
        newly_admitted=_group(one for before, one in compared if before and not one.reject_codes),
        unchanged=_group(one for before, one in compared if before == bool(one.reject_codes)),
    )


def _excluded_so_far(application: Application, versions: Sequence[Rules], today: date) -> bool:
    if application.rules_version:
        return any(exclusions(version(versions, application.rules_version), application))
    # Without rules in force nothing can be granted.
    begun = [rules for rules in versions if rules.occurred_on <= today]
    return not begun or any(exclusions(rules_on(begun, today), application))


def _previewed(application: Application, rules: Rules) -> Previewed:
    codes = tuple(reason.reject_code for reason in exclusions(rules, application))
    return Previewed(application.application_id, application.amount_ore, codes)


def _group(applications: Iterable[Previewed]) -> Group:
    found = tuple(applications)
    return Group(found, sum(one.amount_ore for one in found))
