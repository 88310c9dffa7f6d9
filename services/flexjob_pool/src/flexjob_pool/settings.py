"""Settings of the flexjob pool, from variables that begin with FLEXJOB_POOL_."""

from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class FlexjobPoolSettings(ServiceSettings):
    """What every service needs, under this service's prefix."""

    model_config = SettingsConfigDict(env_prefix="FLEXJOB_POOL_")
