import json
import subprocess
import sys

PROGRAM = """
import logging
import structlog
from chassis import logs

logs.configure("flexjob_pool")
log = structlog.get_logger()
with structlog.contextvars.bound_contextvars(request_id="r1"):
    log.info("request_answered", status=200)
logging.getLogger("nats").warning("reconnecting to %s", "server")
logging.getLogger("uvicorn.access").info("GET /v1/flexjobs/0101701234")
for tell in (log.exception, logging.getLogger("asyncio").exception):
    try:
        try:
            int("0101701234x")
        except ValueError as error:
            raise RuntimeError("person 0101701234") from error
    except RuntimeError:
        tell("request_failed")
try:
    try:
        {}["0101701234"]
    except KeyError as error:
        raise ExceptionGroup("person 0101701234", [ExceptionGroup("person 0101701234", [error])]) from None
except ExceptionGroup:
    log.exception("task_ended")
"""


def test_every_log_of_the_process_is_one_json_line_without_the_text_of_exceptions() -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=True
    )

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "request_answered",
        "reconnecting to server",
        "request_failed",
        "request_failed",
        "task_ended",
    ]
    assert {line["service"] for line in lines} == {"flexjob_pool"}
    assert (lines[0]["request_id"], lines[0]["status"], lines[0]["level"]) == ("r1", 200, "info")
    assert [line.get("error") for line in lines] == [None, None, "RuntimeError", "RuntimeError", "KeyError"]
    assert all(line["where"] for line in lines[2:])
    assert "0101701234" not in done.stderr
    assert done.stdout == ""
