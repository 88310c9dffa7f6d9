"""Code lists as dated data: law and organisation change, so membership depends on the date.

A running case may complete under a code that is closed for new ones, hence two dates.
"""

from dataclasses import dataclass
from datetime import date

BEGINNING = date(1990, 1, 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One code with its Danish and English text and its validity, half-open."""

    code: str
    danish: str
    english: str
    valid_from: date = BEGINNING
    closed_for_new_from: date | None = None
    valid_to: date | None = None


NEW_FLEXJOB_SCHEME = date(2013, 1, 1)

CODE_LISTS: dict[str, tuple[Entry, ...]] = {
    "employment_kind": (Entry("flexjob", "Fleksjob", "Flexjob"),),
    "flexjob_scheme": (
        Entry("post2013", "Ny ordning", "Scheme from 2013", valid_from=NEW_FLEXJOB_SCHEME),
        Entry("pre2013", "Gammel ordning", "Scheme before 2013", closed_for_new_from=NEW_FLEXJOB_SCHEME),
    ),
    "grant_term": (
        Entry("temporary_5y", "Midlertidigt, fem år", "Temporary, five years", valid_from=NEW_FLEXJOB_SCHEME),
        Entry("permanent", "Permanent", "Permanent"),
    ),
    "hours_change_cause": (
        Entry("capacity_up", "Øget arbejdsevne", "Work capacity up"),
        Entry("capacity_down", "Nedsat arbejdsevne", "Work capacity down"),
        Entry("task_match", "Bedre match med opgaver", "Better match of tasks"),
        Entry("organisational", "Organisatorisk", "Organisational"),
    ),
    "flexjob_end_reason": (
        Entry("ordinary_job", "Ordinært job", "Ordinary job"),
        Entry("other_flexjob", "Andet fleksjob", "Another flexjob"),
        Entry("pension", "Pension", "Pension"),
        Entry("resigned", "Egen opsigelse", "Resigned"),
        Entry("dismissed", "Afsked", "Dismissed"),
        Entry("funding_ended", "Finansiering ophørt", "Funding ended"),
        Entry("other", "Andet", "Other"),
    ),
    "application_rejection": (
        Entry("unit_not_eligible", "Arbejdspladsen er ikke omfattet", "The workplace is not eligible"),
        Entry("hours_above_maximum", "For mange timer", "Too many hours"),
        Entry("months_above_maximum", "For lang periode", "Too long a period"),
        Entry("no_match", "Intet match", "No match"),
        Entry("budget_exhausted", "Puljen er brugt", "The pool is exhausted"),
        Entry("other", "Andet", "Other"),
    ),
    "correction_reason": (
        Entry("registration_error", "Fejlregistrering", "Registration error"),
        Entry("late_information", "Sen oplysning", "Late information"),
    ),
    "retraction_reason": (
        Entry("double_entry", "Dobbeltregistrering", "Double entry"),
        Entry("wrong_person", "Forkert person", "Wrong person"),
        Entry("never_happened", "Skete aldrig", "Never happened"),
    ),
}


def codes_on(name: str, day: date, *, new_case: bool = False) -> frozenset[str]:
    """The codes of a list that may be used on a date; for a new case, without those closed for new ones.

    Raises KeyError for a list that does not exist.
    """
    return frozenset(
        entry.code
        for entry in CODE_LISTS[name]
        if entry.valid_from <= day
        and (entry.valid_to is None or day < entry.valid_to)
        and not (new_case and entry.closed_for_new_from and entry.closed_for_new_from <= day)
    )
