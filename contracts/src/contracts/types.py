"""The field types of the published language: one spelling on the wire for each kind of value; keys are marked here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, PlainSerializer, StringConstraints
from pydantic.json_schema import JsonSchemaValue, WithJsonSchema
from pydantic_core import CoreSchema

from contracts.cpr import contains_personal_number
from contracts.identifiers import is_cvr_number

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
DAY_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
INSTANT_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|\+00:00)$"
HOURS_PATTERN = r"^(0|[1-9]\d{0,2})(\.\d{1,2})?$"
FTE_PATTERN = r"^(0|[1-9]\d{0,5})(\.\d{1,2})?$"
SHARE_PATTERN = r"^(0(\.\d{1,4})?|1(\.0{1,4})?)$"


@dataclass(frozen=True, slots=True)
class Key:
    """Marks a field as the key of a history; `kind` names the history (`person`, `placement`, `grant`…)."""

    kind: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Show the key in the published schema."""
        return handler(schema) | {"x-key": self.kind}


@dataclass(frozen=True, slots=True)
class OfList:
    """Marks a code as belonging to a dated code list; the doors check membership by date, a consumer never does."""

    name: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Show the code list in the published schema."""
        return handler(schema) | {"x-codelist": self.name}


def spelled(pattern: str, native: type, hint: str) -> Callable[[Any], Any]:
    """Accept the native Python value, or text of exactly one spelling: raw bodies are compared by SQL as they stand."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: Any) -> Any:
        if type(value) is native or (isinstance(value, str) and compiled.fullmatch(value)):
            return value
        raise ValueError(hint)

    return check


def in_every_calendar(instant: datetime) -> datetime:
    """Refuse the first year and the last: their ends lack a date in some time zone, and databases say infinity."""
    if not MINYEAR < instant.year < MAXYEAR:
        raise ValueError("must be after the year 1 and before the year 9999")
    return instant


def without_personal_number(text: str) -> str:
    """Refuse text that holds a personal number."""
    if contains_personal_number(text):
        raise ValueError("holds a personal number (CPR); use a person_ref instead")
    return text


def issued_by_cvr(number: str) -> str:
    """Refuse eight digits that fail modulus 11."""
    if not is_cvr_number(number):
        raise ValueError("is no CVR number: its last digit does not fit the others (modulus 11)")
    return number


Ref = Annotated[
    UUID,
    BeforeValidator(spelled(UUID_PATTERN, UUID, "must be a UUID in lower case with hyphens")),
    WithJsonSchema({"type": "string", "format": "uuid", "pattern": UUID_PATTERN}),
]
Day = Annotated[
    date,
    BeforeValidator(spelled(DAY_PATTERN, date, "must be a calendar date, YYYY-MM-DD")),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DAY_PATTERN}),
]
Instant = Annotated[
    datetime,
    BeforeValidator(spelled(INSTANT_PATTERN, datetime, "must be an instant in UTC, YYYY-MM-DDThh:mm:ssZ")),
    AfterValidator(in_every_calendar),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN}),
]
# The limits stand first: after a validator of ours, pydantic would check them in Python.
HoursPerWeek = Annotated[
    Decimal,
    Field(ge=0, le=168, decimal_places=2),
    BeforeValidator(spelled(HOURS_PATTERN, Decimal, 'must be hours per week as a decimal string, as "12.50"')),
    PlainSerializer(lambda hours: f"{hours:.2f}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": HOURS_PATTERN, "x-unit": "h/week"}),
]
Hours = Annotated[
    Decimal,
    Field(ge=0, lt=1000, decimal_places=2),
    BeforeValidator(spelled(HOURS_PATTERN, Decimal, 'must be hours as a decimal string, as "7.50"')),
    PlainSerializer(lambda hours: f"{hours:.2f}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": HOURS_PATTERN, "x-unit": "h"}),
]
Fte = Annotated[
    Decimal,
    Field(ge=0, lt=10**6, decimal_places=2),
    BeforeValidator(spelled(FTE_PATTERN, Decimal, 'must be full-time equivalents as a decimal string, as "412.75"')),
    PlainSerializer(lambda fte: f"{fte:.2f}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": FTE_PATTERN, "x-unit": "fte"}),
]
Share = Annotated[
    Decimal,
    Field(ge=0, le=1, decimal_places=4),
    BeforeValidator(spelled(SHARE_PATTERN, Decimal, 'must be a share from 0 to 1 as a decimal string, as "0.5"')),
    WithJsonSchema({"type": "string", "pattern": SHARE_PATTERN, "x-unit": "share"}),
]
Ore = Annotated[int, Field(strict=True, ge=0, le=10**13, json_schema_extra={"x-unit": "DKK 0.01"})]
Count = Annotated[int, Field(strict=True, ge=0, le=2**53 - 1)]
Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
FiscalYear = Annotated[int, Field(strict=True, ge=1990, le=2100)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
OrganisationUnit = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-zÆØÅæøå][0-9A-Za-zÆØÅæøå_-]{0,63}$"),
    AfterValidator(without_personal_number),
]
CvrNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$"), AfterValidator(issued_by_cvr)]
PNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")]
MunicipalityCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256),
    AfterValidator(without_personal_number),
    Field(json_schema_extra={"x-guard": "cpr"}),
]
