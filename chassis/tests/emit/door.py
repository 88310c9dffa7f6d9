"""A door that is scripted: busy, gone, or no gateway at all. The gateway's tests send to the real one."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

EXAMPLE = json.loads((Path(__file__).parents[3] / "contracts/examples/payroll.employment_ended.v1.json").read_text())
ACCEPTED = {"outcome": "accepted", "received_at": "2026-11-02T08:00:00Z"}
Told = tuple[int, dict[str, str], bytes]


def answer(status: int, body: Any, **headers: str) -> Told:
    return status, headers, json.dumps(body).encode()


def problem(status: int, slug: str, *reasons: tuple[str, str]) -> Told:
    errors = [{"pointer": place, "detail": said} for place, said in reasons]
    body = {
        "type": f"urn:kraftcenter:problem:{slug}",
        "title": "No",
        "status": status,
        "detail": "Why.",
        "errors": errors,
    }
    return answer(status, body)


class Door:
    """A server that answers as the script says, and with 202 once the script is at its end."""

    def __init__(self) -> None:
        self.script: list[Told] = []
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                door.headers.append({name.lower(): value for name, value in self.headers.items()})
                door.received.append((self.headers["idempotency-key"], body))
                status, headers, said = door.script.pop(0) if door.script else answer(202, ACCEPTED)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(said))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def ids(self) -> list[str]:
        return [body["id"] for _, body in self.received]

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.received]


Emit = Callable[..., int]


def write(tmp_path: Path, *ids: str, source: str = EXAMPLE["source"]) -> None:
    with (tmp_path / "events").open("a") as file:
        file.writelines(json.dumps(EXAMPLE | {"id": id_, "source": source}) + "\n" for id_ in ids)


def receipts_in(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "events.receipts.jsonl").read_text().splitlines() if line]
