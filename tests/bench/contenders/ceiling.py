"""As fast as nats-py and pydantic go: it reads, validates, acknowledges, and keeps nothing."""

import asyncio

import nats
from nats.js.api import AckPolicy

from contracts.catalogue import data_of
from contracts.envelope import Envelope
from tests.bench.contenders.contender import Contender, Promise, here

BATCH = 500
CEILING = Contender(
    name="ceiling",
    promise=Promise.NOTHING,
    module="tests.bench.contenders.ceiling",
    durable="ceiling",
    ack_policy=AckPolicy.ALL,
)


async def read_all() -> None:
    """Read until killed; one acknowledgement answers for all before it."""
    place = here()
    jetstream = (await nats.connect(place.nats_url)).jetstream()
    subscription = await jetstream.pull_subscribe_bind("ceiling", stream=place.stream.name)
    while True:
        try:
            messages = await subscription.fetch(BATCH, timeout=5)
        except TimeoutError:
            continue
        for message in messages:
            data_of(Envelope.model_validate_json(message.data))
        await messages[-1].ack()


if __name__ == "__main__":
    asyncio.run(read_all())
