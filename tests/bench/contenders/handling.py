"""How the FastStream contenders run: the message as it came, a broker, and no end."""

import asyncio
from typing import Any

from faststream.nats import NatsBroker

from impact.ledger import Delivery


async def raw(message: Any) -> Any:
    """Decode nothing: a body that is no JSON must reach the handler too, which keeps it as evidence."""
    return message.raw_message


def delivery_of(message: Any) -> Delivery:
    """What the ledger wants of a message."""
    metadata = message.metadata
    return Delivery(metadata.stream, metadata.sequence.stream, message.headers or {}, message.data)


async def serve(broker: NatsBroker) -> None:
    """Handle messages until killed."""
    await broker.start()
    await asyncio.Event().wait()
