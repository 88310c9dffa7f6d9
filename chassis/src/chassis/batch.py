"""Atomic batches (NATS ADR-50): whole or not at all, and only where the stream ends as its writer expects."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from nats.aio.client import Client
from nats.errors import BadSubjectError, MaxPayloadError

from chassis.outbox import Row

MESSAGE_ID = "Nats-Msg-Id"

BAD_REQUEST = 400
NOT_IMPLEMENTED = 501
WRONG_LAST_SEQUENCE = 10071
INCOMPLETE = 10176
TOO_LARGE = 10199
# Bad requests that no single message is to blame for.
NOT_THE_MESSAGE = frozenset(
    {
        10060,  # another stream takes the subject
        WRONG_LAST_SEQUENCE,
        10109,  # sealed stream
        10164,  # wrong last sequence, constant
        10174,  # atomic publish disabled
        INCOMPLETE,
        TOO_LARGE,
        10201,  # holds an id that is already stored
        10205,  # batch publish disabled
    }
)


class Refused(Exception):
    """The server's refusal; nothing of the batch is stored, unless the server stored its first message by itself."""

    def __init__(self, code: int, err_code: int, description: str) -> None:
        super().__init__(f"{err_code} {description}")
        self.code = code
        self.err_code = err_code
        self.description = description

    @property
    def permanent(self) -> bool:
        """Whether the messages themselves are refused, today and for ever."""
        return self.code == BAD_REQUEST and self.err_code not in NOT_THE_MESSAGE

    @property
    def last_sequence(self) -> int:
        """Where the stream says that it ends, if that was not expected, as in `wrong last sequence: 350`; else 0."""
        said = self.description.rpartition(" ")[2]
        return int(said) if self.err_code == WRONG_LAST_SEQUENCE and said.isdecimal() else 0

    @property
    def divisible(self) -> bool:
        """Whether a part of the batch may pass.

        An oversize message in the middle gets no answer of its own: the server drops it and finds the batch incomplete.
        """
        return self.permanent or self.err_code in (INCOMPLETE, TOO_LARGE)


class StoredElsewhere(Exception):
    """The batch is stored, but not behind what was expected: a damaged store counts on from before the damage."""


async def publish_batch(
    nc: Client, rows: Sequence[Row], *, stream: str, expected_last_sequence: int, answer_seconds: float
) -> int:
    """Store the rows in their order and return the stream sequence of the first.

    Raises Refused, StoredElsewhere; after any other error of nats it is unknown what is stored. `answer_seconds` is how
    long each of its two answers may take.
    """
    batch = uuid4().hex
    guard = {"Nats-Expected-Stream": stream, "Nats-Expected-Last-Sequence": str(expected_last_sequence)}
    answer: dict[str, Any] = {}
    for number, row in enumerate(rows, start=1):
        headers = {MESSAGE_ID: row.message_id, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        headers |= guard if number == 1 else {}
        headers |= {"Nats-Batch-Commit": "1"} if number == len(rows) else {}
        if number in (1, len(rows)):
            answer = await _ask(nc, row, headers, answer_seconds)
            if number < len(rows) and "seq" in answer:
                raise Refused(NOT_IMPLEMENTED, 0, "the server knows no batches and stored the first message by itself")
        else:
            await nc.publish(row.subject, row.body, headers=headers)
    first = int(answer["seq"]) - len(rows) + 1
    if first != expected_last_sequence + 1:
        raise StoredElsewhere(f"at {first}, and not behind {expected_last_sequence}")
    return first


async def _ask(nc: Client, row: Row, headers: dict[str, str], answer_seconds: float) -> dict[str, Any]:
    try:
        reply = await nc.request(row.subject, row.body, timeout=answer_seconds, headers=headers)
    except (MaxPayloadError, BadSubjectError) as unsendable:
        raise Refused(BAD_REQUEST, 0, str(unsendable)) from None
    answer: dict[str, Any] = json.loads(reply.data or b"{}")
    if error := answer.get("error"):
        raise Refused(error["code"], error.get("err_code", 0), error.get("description", ""))
    return answer
