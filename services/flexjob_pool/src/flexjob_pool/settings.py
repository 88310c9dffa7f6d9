"""Settings of the flexjob pool, from variables that begin with FLEXJOB_POOL_."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class FlexjobPoolSettings(ServiceSettings):
    """What every service needs, and how often reviews are looked for."""

    model_config = SettingsConfigDict(env_prefix="FLEXJOB_POOL_")

    sweep_seconds: Annotated[float, Field(gt=0, le=3600)] = 5
    """How often the calendar is looked at for reviews to call for."""
