"""What a question about figures may be made of, as OpenAPI tells it."""

from typing import Any


def _parameter(name: str, description: str, schema: dict[str, Any], **examples: str) -> dict[str, Any]:
    """A query parameter; each example has a name that says what it asks for."""
    shown = {case: {"summary": case.replace("_", " "), "value": value} for case, value in examples.items()}
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "string"} | schema,
        "examples": shown,
    }


MUNICIPALITY = _parameter(
    "municipality",
    "Municipality code; needed where the service serves several.",
    {"pattern": r"^[0-9]{3}$"},
    Kolding="621",
)
AS_OF = _parameter(
    "as_of",
    "When it was true: the figure as it was at the end of this day. Today, by the Danish calendar, unless given; for a "
    "flow or an average with `to`, the day before `to`. From 1990-01-01 to two years from today.",
    {"format": "date"},
    at_midsummer="2026-06-30",
)
KNOWN_AS_OF = _parameter(
    "known_as_of",
    "What was known: an RFC 3339 instant with any offset (all that had been admitted by then; an instant to come is "
    "now), or a position of the lane in digits (all that had been admitted up to it; 0 is nothing). Everything that is "
    "known now unless given. The same position gives the same answer for ever.",
    {},
    on_the_morning_of_1_March="2026-03-01T08:00:00+01:00",
    at_a_position="1204",
)
FROM = _parameter(
    "from",
    "The first day of the period. **Stock**: the daily average over the days from `from` to `to` is answered instead "
    "of the stock at the end of `as_of`; of a ratio, the average above the line divided by the one below. **Flow**: "
    "what happened from this day on; unless given, from 1 January of its last day's year, or as many `months` back as "
    "the catalogue says. **Cohort**: the first month in which the cohort began, as its first day; unless given, every "
    "month. An indicator that is read on the days of its snapshots takes no period.",
    {"format": "date"},
    from_New_Year="2026-01-01",
)
TO = _parameter(
    "to",
    "The day after the period's last. **Stock** (only with `from`) and **flow**: the period never reaches beyond "
    "`as_of`, whatever is given. **Cohort**: the month after the last in which the cohort began, as its first day; "
    "`as_of` alone says how far the cohort has come.",
    {"format": "date"},
    up_to_and_including_June="2026-07-01",
)
BY = _parameter(
    "by",
    "One or two of the indicator's `dimensions`, with a comma between, to split the figure by. A dimension that the "
    "catalogue says is `held` to one value is not held in the cells when it is named here; the whole stays held.",
    {"pattern": "^[a-z_]+(,[a-z_]+)?$"},
    one_dimension="department",
    two_dimensions="weeks,kind",
)
DEFINITION_VERSION = _parameter(
    "definition_version",
    "Which definition answers; the one in force at the position unless given. An explicit one answers at any position "
    "once the lane keeps it, also at positions before it came into force.",
    {"pattern": "^[1-9][0-9]*$"},
    the_first="1",
)

PARAMETERS_OF_ALL = [MUNICIPALITY, AS_OF, KNOWN_AS_OF]
PARAMETERS_OF_ONE = [*PARAMETERS_OF_ALL, FROM, TO, BY, DEFINITION_VERSION]

SINCE = _parameter(
    "since",
    "Also tell what moved the amounts after this moment, up to `known_as_of`: an instant, or a position in digits.",
    {},
    since_the_last_report="2026-03-01T08:00:00+01:00",
    since_a_position="1100",
)
LIMIT = _parameter(
    "limit", "How many contributions and movements at most, 1 to 1000; 100 unless given.", {}, a_few="10"
)
CURSOR = _parameter("cursor", "The `next_cursor` of the page before; 0 unless given.", {}, the_second_page="100")
PARAMETERS_OF_RECEIPT = [*PARAMETERS_OF_ONE, SINCE, LIMIT, CURSOR]
