"""Code lists as dated data: law and organisation change, so membership depends on the date.

A running case may complete under a code that is closed for new ones, hence two dates.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from contracts.reach import BEGINNING


@dataclass(frozen=True, slots=True)
class Entry:
    """One code with its Danish and English text and its validity, half-open."""

    code: str
    danish: str
    english: str
    valid_from: date = BEGINNING
    closed_for_new_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class EmploymentKind(Entry):
    """A kind of placement: whether the employer pays, and whether it may count as a sustained job."""

    paid: bool = True
    eligible: bool = True


NEW_FLEXJOB_SCHEME = date(2013, 1, 1)
SOCIAL_FREE_CARD = date(2019, 1, 1)

# A list of its own, so that rules can ask what a kind amounts to.
EMPLOYMENT_KINDS = (
    EmploymentKind("ordinary", "Ordinært job", "Ordinary job"),
    EmploymentKind("small_job", "Småjob", "Small job"),
    EmploymentKind("flexjob", "Fleksjob", "Flexjob"),
    EmploymentKind("apprenticeship", "Elev- eller lærlingeplads", "Apprenticeship"),
    EmploymentKind("social_free_card", "Socialt frikort", "Social free card", valid_from=SOCIAL_FREE_CARD),
    EmploymentKind("wage_subsidy", "Job med løntilskud", "Wage subsidy job", eligible=False),
    EmploymentKind("work_trial", "Virksomhedspraktik", "Unpaid work trial", paid=False, eligible=False),
)

CODE_LISTS: dict[str, tuple[Entry, ...]] = {
    "employment_kind": EMPLOYMENT_KINDS,
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
        Entry("not_stated", "Ikke oplyst", "Not stated"),
    ),
    "flexjob_end_reason": (
        Entry("ordinary_job", "Ordinært job", "Ordinary job"),
        Entry("other_flexjob", "Andet fleksjob", "Another flexjob"),
        Entry("pension", "Pension", "Pension"),
        Entry("resigned", "Egen opsigelse", "Resigned"),
        Entry("dismissed", "Afsked", "Dismissed"),
        Entry("funding_ended", "Finansiering ophørt", "Funding ended"),
        Entry("other", "Andet", "Other"),
        Entry("not_stated", "Ikke oplyst", "Not stated"),
    ),
    "development_step": (
        Entry("course", "Kursus eller uddannelse", "Course or training"),
        Entry("new_task", "Ny opgave", "New task"),
        Entry("mentor", "Mentor", "Mentor"),
        Entry("other", "Andet", "Other"),
    ),
    "review_kind": (
        Entry("m30", "Opfølgning hvert 2½ år", "Follow-up every 2½ years"),
        Entry("m54", "Status efter 4½ år", "Status after 4½ years", valid_from=NEW_FLEXJOB_SCHEME),
        Entry("early", "Tidlig opfølgning", "Early follow-up"),
    ),
    "review_outcome": (
        Entry("continues", "Fleksjobbet fortsætter", "The flexjob goes on"),
        Entry("reassessed", "Ny vurdering af arbejdsevnen", "Work capacity is assessed anew"),
        Entry("grant_renewed", "Fleksjobbet bevilges igen", "The flexjob is granted again"),
        Entry("not_eligible", "Ikke længere omfattet", "No longer eligible"),
    ),
    "placement_origin": (
        Entry("unemployment_benefit", "Dagpenge", "Unemployment benefit"),
        Entry("cash_benefit", "Kontanthjælp", "Cash benefit"),
        Entry("sickness_benefit", "Sygedagpenge", "Sickness benefit"),
        Entry("flex_unemployment_benefit", "Ledighedsydelse", "Flex unemployment benefit"),
        Entry("pension", "Pension", "Pension"),
        Entry("education", "Uddannelse", "Education"),
        Entry("employment", "Andet job", "Another job"),
        Entry("no_benefit", "Uden offentlig ydelse", "No public benefit"),
        Entry("unknown", "Ukendt", "Unknown"),
    ),
    "placement_end_reason": (
        Entry("as_agreed", "Slut som aftalt", "Ended as agreed"),
        Entry("resigned", "Egen opsigelse", "Resigned"),
        Entry("dismissed", "Afsked", "Dismissed"),
        Entry("employer_closed", "Virksomheden er lukket", "The employer closed"),
        Entry("other", "Andet", "Other"),
    ),
    "next_step": (
        Entry("ordinary_job", "Ordinært job", "Ordinary job"),
        Entry("education", "Uddannelse", "Education"),
        Entry("other_job", "Andet job", "Another job"),
        Entry("benefit", "Offentlig ydelse", "Public benefit"),
        Entry("pension", "Pension", "Pension"),
        Entry("unknown", "Ukendt", "Unknown"),
    ),
    "task": (
        Entry("care", "Omsorg", "Care"),
        Entry("cleaning", "Rengøring", "Cleaning"),
        Entry("kitchen", "Køkken", "Kitchen"),
        Entry("maintenance", "Drift og vedligehold", "Maintenance"),
        Entry("outdoor", "Udendørs arbejde", "Outdoor work"),
        Entry("office", "Kontor", "Office work"),
        Entry("teaching", "Undervisning og pædagogik", "Teaching and childcare"),
        Entry("transport", "Transport", "Transport"),
        Entry("other", "Andet", "Other"),
    ),
    "need_withdrawal": (
        Entry("filled_otherwise", "Løst på anden vis", "Filled otherwise"),
        Entry("tasks_gone", "Opgaverne er bortfaldet", "The tasks are gone"),
        Entry("no_funding", "Ingen finansiering", "No funding"),
        Entry("other", "Andet", "Other"),
    ),
    # Code numbers as in the municipalities' register; the seven that share one entry for employers.
    "job7_municipality": (
        Entry("410", "Middelfart", "Middelfart"),
        Entry("510", "Haderslev", "Haderslev"),
        Entry("530", "Billund", "Billund"),
        Entry("575", "Vejen", "Vejen"),
        Entry("607", "Fredericia", "Fredericia"),
        Entry("621", "Kolding", "Kolding"),
        Entry("630", "Vejle", "Vejle"),
    ),
    "approval_annulment": (
        Entry("conditions_not_met", "Betingelserne er ikke opfyldt", "Conditions are not met"),
        Entry("not_used", "Godkendelsen blev ikke brugt", "The approval was not used"),
        Entry("other", "Andet", "Other"),
    ),
    "refund_reversal": (
        Entry("wage_corrected", "Lønnen er rettet", "The wage was corrected"),
        Entry("posted_twice", "Bogført to gange", "Posted twice"),
        Entry("not_entitled", "Ikke berettiget", "Not entitled"),
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


# It is asked of the same lists and days for every event at a door, and for every job that is counted.
@lru_cache(maxsize=4096)
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


def employment_kind_on(code: str, day: date) -> EmploymentKind | None:
    """What a kind of employment amounts to on a date; None for a code that is unknown or not in force then."""
    in_force = codes_on("employment_kind", day)
    return next((kind for kind in EMPLOYMENT_KINDS if kind.code == code and code in in_force), None)
