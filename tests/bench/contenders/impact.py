"""The service itself: its process, its consumer, its settings as in production."""

from collections.abc import Mapping

from impact.ingest import DURABLE
from tests.bench.contenders.contender import Contender, Place, Promise


def _settings(place: Place) -> Mapping[str, str]:
    told = {
        "DATABASE_URL": place.database_url,
        "NATS_URL": place.nats_url,
        "PORT": str(place.port),
        "MUNICIPALITY": place.stream.municipality,
    }
    return {f"IMPACT_{name}": value for name, value in told.items()} | {"CLOCK": place.clock}


IMPACT = Contender(
    name="impact",
    promise=Promise.ALL,
    module="impact",
    arguments=("serve",),
    durable=DURABLE,
    held_by_pause=True,
    settings=_settings,
)
