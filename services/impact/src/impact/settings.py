"""Settings of impact, from variables that begin with IMPACT_; one impact may serve several municipalities."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode, SettingsConfigDict

from chassis.problems import Said
from chassis.settings import ServiceSettings
from contracts.types import MunicipalityCode


def _codes(given: Any) -> Any:
    codes = [code.strip() for code in given.split(",")] if isinstance(given, str) else given
    if len(set(codes)) < len(codes):
        raise ValueError(Said("må nævne en kommune én gang", "may name a municipality once"))
    return codes


class ImpactSettings(ServiceSettings):
    """What every service needs, and the lanes to serve: codes with commas between them, `municipality` unless given."""

    model_config = SettingsConfigDict(env_prefix="IMPACT_")

    municipalities: Annotated[
        tuple[MunicipalityCode, ...],
        NoDecode,
        BeforeValidator(_codes),
        Field(min_length=1, default_factory=lambda known: (known.get("municipality", ""),)),
    ]

    verify_seconds: Annotated[float, Field(gt=0, description="Between verifications of the figures.")] = 300
    release_seconds: Annotated[float, Field(gt=0, description="Between looks whether a release is due.")] = 60

    @property
    def serves(self) -> tuple[str, ...]:
        """Tokens of every municipality served are admitted."""
        return self.municipalities
