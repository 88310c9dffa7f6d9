"""Damage to what a stopped nats-server has written."""

from contracts.streams import Stream
from local.nats import NatsServer


def damage(server: NatsServer, stream: Stream, *, within: bytes, torn: bool = False) -> None:
    """Stop the server, turn some bits where the stream has written this for the first time, and start it again.

    Such a message is passed over. One that is torn has a wrong length: the server drops it and all behind it.
    """
    server.stop()
    [block] = server.store_dir.rglob(f"{stream.name}/msgs/*.blk")
    written = bytearray(block.read_bytes())
    place = written.index(within)
    if torn:
        place = written.rindex(b"events.", 0, place) - 2
    written[place : place + 2] = bytes(byte ^ 0xFF for byte in written[place : place + 2])
    block.write_bytes(written)
    server.start()
