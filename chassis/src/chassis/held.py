"""What a stream holds, told by its leader, who alone is never behind."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from math import inf

from nats.js.api import RawStreamMsg, StreamInfo, StreamState
from nats.js.errors import NotFoundError

from chassis import outbox
from chassis.batch import MESSAGE_ID
from chassis.bus import Bus
from chassis.database import Connection
from contracts.streams import Stream

PAGE = 100
NO_MESSAGE = 10037
# A row is marked after its message was stored, by the clock of another host.
CLOCKS_DIFFER = timedelta(minutes=1)


class Held:
    """Reads one stream beside whoever writes it."""

    def __init__(self, bus: Bus, stream: Stream) -> None:
        self._bus = bus
        self._stream = stream

    async def info(self) -> StreamInfo:
        """Its settings, and where it begins and ends."""
        return await self._bus.jetstream.stream_info(self._stream.name)

    def kept_since(self, info: StreamInfo) -> datetime:
        """What is older has aged away, also from a stream that was told to keep events for longer than they may be."""
        seconds = min(info.config.max_age or inf, self._stream.max_age_seconds)
        return datetime.now(UTC) - timedelta(seconds=seconds) + CLOCKS_DIFFER

    async def last_survivor(self, db: Connection, state: StreamState) -> int:
        """The highest sequence at which it holds what the outbox recorded there, or that lies before its start."""
        below = state.last_seq
        while page := await outbox.recorded_until(db, below, PAGE):
            for recorded in page:
                if recorded.sequence < state.first_seq or await self._has(recorded):
                    return recorded.sequence
            below = page[-1].sequence - 1
        return 0

    async def after(self, sequence: int) -> AsyncGenerator[outbox.Stored, None]:
        """Each message after a sequence that it can still give, in its order, to its end."""
        while message := await self.first_after(sequence):
            assert message.seq and message.time and message.subject  # noqa: S101, PT018 - the leader always tells
            sequence, message_id = message.seq, (message.headers or {}).get(MESSAGE_ID, "")
            yield outbox.Stored(sequence, message.time, message_id, message.subject)

    async def first_after(self, sequence: int) -> RawStreamMsg | None:
        """The first message after a sequence, however far on, that it can give; None when there is none.

        The server says that nothing follows where it meets a damaged message: then the next is asked for.
        """
        jetstream, name, every = self._bus.jetstream, self._stream.name, self._stream.subjects
        while True:
            try:
                return await jetstream.get_msg(name, seq=sequence + 1, subject=every, next=True)
            except NotFoundError as nothing:
                if nothing.err_code != NO_MESSAGE:
                    raise
            state = (await self.info()).state
            sequence = max(sequence + 1, state.first_seq - 1)
            if sequence >= state.last_seq:
                return None

    async def _has(self, recorded: outbox.Recorded) -> bool:
        try:
            message = await self._bus.jetstream.get_msg(self._stream.name, seq=recorded.sequence)
        except NotFoundError:
            return False
        return (message.headers or {}).get(MESSAGE_ID) == recorded.message_id
