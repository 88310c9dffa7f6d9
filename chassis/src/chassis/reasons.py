"""What is wrong with a value, in our own words for each kind of pydantic error, so that no value is repeated."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from chassis.problems import Fault, Said

MOST = 100
SAFE_NAME = re.compile(r"(?!.*\d{5})[A-Za-z_][A-Za-z0-9_-]{0,63}")

INVALID = Said("er ikke gyldig", "is not valid")
TEXT = Said("skal være en tekst", "must be a string")
NUMBER = Said("skal være et tal", "must be a number")
WHOLE_NUMBER = Said("skal være et helt tal", "must be a whole number")
DECIMAL = Said("skal være et decimaltal", "must be a decimal number")
TRUTH = Said("skal være true eller false", "must be true or false")
IDENTIFIER = Said("skal være et UUID", "must be a UUID")
DAY = Said("skal være en dato, ÅÅÅÅ-MM-DD", "must be a date, YYYY-MM-DD")
INSTANT = Said("skal være et tidspunkt efter RFC 3339", "must be an RFC 3339 instant")
LIST = Said("skal være en liste", "must be a list")
OBJECT = Said("skal være et JSON-objekt", "must be a JSON object")

BY_TYPE: dict[str, Said] = {
    "missing": Said("mangler", "is missing"),
    "extra_forbidden": Said("har et felt, som ikke findes her", "has a field that is not known here"),
    "string_too_short": Said("skal være på mindst {min_length} tegn", "must have at least {min_length} characters"),
    "string_too_long": Said("må højst være på {max_length} tegn", "must have at most {max_length} characters"),
    "string_pattern_mismatch": Said("skal have formen {pattern}", "must match {pattern}"),
    "greater_than": Said("skal være større end {gt}", "must be greater than {gt}"),
    "greater_than_equal": Said("skal være mindst {ge}", "must be at least {ge}"),
    "less_than": Said("skal være mindre end {lt}", "must be less than {lt}"),
    "less_than_equal": Said("må højst være {le}", "must be at most {le}"),
    "decimal_max_places": Said(
        "må højst have {decimal_places} decimaler", "must have at most {decimal_places} decimals"
    ),
    "decimal_max_digits": Said("må højst have {max_digits} cifre", "must have at most {max_digits} digits"),
    "too_short": Said("skal have mindst {min_length} elementer", "must have at least {min_length} items"),
    "too_long": Said("må højst have {max_length} elementer", "must have at most {max_length} items"),
    "literal_error": Said("skal være en af: {expected}", "must be one of: {expected}"),
    "enum": Said("skal være en af: {expected}", "must be one of: {expected}"),
    "finite_number": NUMBER,
    "int_from_float": WHOLE_NUMBER,
}
# Pydantic names many kinds of error after the type that was wanted.
BY_STEM: dict[str, Said] = {
    "string": TEXT,
    "int": WHOLE_NUMBER,
    "float": NUMBER,
    "decimal": DECIMAL,
    "bool": TRUTH,
    "uuid": IDENTIFIER,
    "date": DAY,
    "datetime": INSTANT,
    "timezone": INSTANT,
    "list": LIST,
    "tuple": LIST,
    "set": LIST,
    "dict": OBJECT,
    "model": OBJECT,
}
# The contracts depend on pydantic alone and speak English; these are their texts.
BY_TEXT: dict[str, Said] = {
    said.english: said
    for said in (
        Said("skal være et UUID med små bogstaver og bindestreger", "must be a UUID in lower case with hyphens"),
        Said("skal være en kalenderdato, ÅÅÅÅ-MM-DD", "must be a calendar date, YYYY-MM-DD"),
        Said("skal være et tidspunkt i UTC, ÅÅÅÅ-MM-DDTtt:mm:ssZ", "must be an instant in UTC, YYYY-MM-DDThh:mm:ssZ"),
        Said("skal ligge efter år 1 og før år 9999", "must be after the year 1 and before the year 9999"),
        Said(
            'skal være timer pr. uge som decimaltal i en tekst, f.eks. "12.50"',
            'must be hours per week as a decimal string, as "12.50"',
        ),
        Said(
            'skal være timer som decimaltal i en tekst, f.eks. "7.50"', 'must be hours as a decimal string, as "7.50"'
        ),
        Said(
            'skal være årsværk som decimaltal i en tekst, f.eks. "412.75"',
            'must be full-time equivalents as a decimal string, as "412.75"',
        ),
        Said(
            'skal være en andel fra 0 til 1 som decimaltal i en tekst, f.eks. "0.5"',
            'must be a share from 0 to 1 as a decimal string, as "0.5"',
        ),
        Said(
            "indeholder et personnummer (CPR); brug person_ref i stedet",
            "holds a personal number (CPR); use a person_ref instead",
        ),
        Said(
            "er ikke et CVR-nummer: det sidste ciffer passer ikke til de andre (modulus 11)",
            "is no CVR number: its last digit does not fit the others (modulus 11)",
        ),
        Said(
            "effective_hours_per_week_from må ikke være over effective_hours_per_week_to",
            "effective_hours_per_week_from must not be above effective_hours_per_week_to",
        ),
        Said("trainee_headcount må ikke være over headcount", "trainee_headcount must not be above headcount"),
        Said("ends_on skal være efter occurred_on", "ends_on must be after occurred_on"),
        Said("allocations skal tilsammen give amount_ore", "allocations must add up to amount_ore"),
        Said("et regnskabsår må kun stå én gang i allocations", "a fiscal year may stand once in allocations"),
        Said("en rettelse skal sige hvorfor, i reason_code", "a correction must say why, in reason_code"),
    )
}


def said_of(error: ErrorDetails | Mapping[str, Any]) -> Said:
    """One validation error in words. A validator may raise `ValueError(Said(...))` to use its own."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return _own_words(context.get("error"))
    said = BY_TYPE.get(kind) or BY_STEM.get(kind.partition("_")[0], INVALID)
    return Said(said.danish.format_map(context), said.english.format_map(context))


def _own_words(error: object) -> Said:
    argument = error.args[0] if isinstance(error, ValueError) and error.args else None
    if isinstance(argument, Said):
        return argument
    return BY_TEXT.get(argument, INVALID) if isinstance(argument, str) else INVALID


def faults_of(errors: Sequence[ErrorDetails | Mapping[str, Any]]) -> list[Fault]:
    """Where and what, for every error of a request, as FastAPI locates them."""
    faults = [_fault(error) for error in errors[:MOST]]
    if (more := len(errors) - MOST) > 0:
        faults.append(Fault("pointer", "", Said(f"og {more} fejl til", f"and {more} errors more")))
    return faults


def _fault(error: ErrorDetails | Mapping[str, Any]) -> Fault:
    origin, *path = error["loc"]
    if origin == "body":
        if error["type"] == "extra_forbidden":
            path.pop()  # the name of an unknown field is a value of the caller's
        return Fault("pointer", pointer_to(path), said_of(error))
    return Fault("header" if origin == "header" else "parameter", ".".join(map(str, path)), said_of(error))


def pointer_to(path: Sequence[int | str]) -> str:
    """The JSON pointer (RFC 6901) of a place; it stops at a name of the caller's making that might be a value."""
    pointer = ""
    for step in path:
        if isinstance(step, str) and not SAFE_NAME.fullmatch(step):
            break
        pointer += f"/{step}"
    return pointer
