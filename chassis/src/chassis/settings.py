"""Settings of a service: read once from the environment, passed in, and never shown when they are wrong."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.addresses import nats_url, postgres_dsn
from chassis.calendar import calendar_of
from chassis.problems import Said
from chassis.reasons import said_of
from contracts.types import MunicipalityCode


class SettingsRefused(Exception):
    """Settings are missing or unusable; the text has one line per variable, without any value."""


def _postgres(dsn: SecretStr) -> SecretStr:
    postgres_dsn(dsn.get_secret_value())
    return dsn


def _clock(setting: str) -> str:
    try:
        calendar_of(setting)
    except ValueError as error:
        raise ValueError(Said(str(error), str(error))) from None
    return setting


class ServiceSettings(BaseSettings):
    """What every service needs to know; a subclass sets `env_prefix`, as in `FLEXJOB_POOL_DATABASE_URL`.

    `CLOCK` has no prefix, since all services share one calendar.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, populate_by_name=True, extra="ignore")

    database_url: Annotated[SecretStr, AfterValidator(_postgres)]
    nats_url: Annotated[str, AfterValidator(nats_url)]
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)]
    municipality: MunicipalityCode = "621"
    clock: Annotated[str, Field(validation_alias="CLOCK"), AfterValidator(_clock)] = "system"
    heartbeat_seconds: Annotated[float, Field(gt=0, le=3600)] = 15

    @property
    def serves(self) -> tuple[str, ...]:
        """The municipalities whose tokens the doors admit; a service that serves several overrides it."""
        return (self.municipality,)


S = TypeVar("S", bound=BaseSettings)


def load(settings: type[S]) -> S:
    """Read the environment; when something is wrong, say all of it on stderr and exit with code 2."""
    try:
        return read(settings)
    except SettingsRefused as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201 - logs are not configured before the settings are known
        raise SystemExit(2) from None


def read(settings: type[S]) -> S:
    """The settings that the environment, and the files that it names, give. Raises SettingsRefused."""
    names = {field: _name(settings, field) for field in settings.model_fields}
    from_files: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field, name in names.items():
        try:
            if os.environ.get(f"{name}_FILE"):
                from_files[field] = variable(name)
        except SettingsRefused as refusal:
            wrong[name] = str(refusal)
    try:
        loaded = settings(**from_files)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False):
            name = names.get(str(error["loc"][0]), str(error["loc"][0]))
            wrong.setdefault(name, _line(name, error))
    if wrong:
        raise SettingsRefused("\n".join(wrong.values()))
    return loaded


def _name(settings: type[BaseSettings], field: str) -> str:
    alias = settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{settings.model_config.get('env_prefix', '')}{field}".upper()


def _line(name: str, error: ErrorDetails) -> str:
    if error["type"] == "missing":
        return f"{name}: is missing; set it, or let {name}_FILE name a file that holds it"
    return f"{name}: {said_of(error).english}"


def address(name: str, check: Callable[[str], str]) -> str | None:
    """The variable, once it passed `postgres_dsn` or `nats_url`; None when it is not given. Raises SettingsRefused."""
    try:
        return check(given) if (given := variable(name)) else None
    except ValueError as error:
        raise SettingsRefused(f"{name}: {error.args[0].english}") from None


def variable(name: str) -> str | None:
    """The value of an environment variable, or of the file that `<NAME>_FILE` names; None when neither is given.

    Raises SettingsRefused when both are given, or the file cannot be read.
    """
    value, file = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value and file:
        raise SettingsRefused(f"{name}: is given twice, also as {name}_FILE; keep one of them")
    if not file:
        return value or None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsRefused(f"{name}_FILE: names a file that cannot be read as text") from None
