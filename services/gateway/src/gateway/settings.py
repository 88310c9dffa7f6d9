"""Settings of the gateway, from variables that begin with GATEWAY_."""

from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """What every service needs, under this service's prefix."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")
