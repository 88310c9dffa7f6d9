"""Where PostgreSQL and NATS are: judged by its shape before a driver trips over it, and never repeated."""

import re
from urllib.parse import parse_qs, urlsplit

from chassis.problems import Said

HOST = r"([\w.%-]*|\[[0-9a-fA-F:.]+\])(:\d+)?"
DSN = re.compile(rf"postgres(ql)?://([^/?#]*@)?{HOST}(,{HOST})*([/?].*)?")
DSN_HINT = "postgresql://user:password@host:5432/database, with reserved characters in the password as %XX"
PORT = re.compile(r":(\d+)(?=,|$)")
HIGHEST_PORT = 65535


def postgres_dsn(text: str) -> str:
    """The DSN of a database. Raises ValueError with what is wanted."""
    if not DSN.fullmatch(text) or _has_wrong_port(text):
        raise ValueError(Said(f"skal være som {DSN_HINT}", f"must look like {DSN_HINT}"))
    return text


def nats_url(text: str) -> str:
    """The URL of a NATS server. Raises ValueError with what is wanted; TLS is refused, it would not be spoken."""
    try:
        parts = urlsplit(text)
        usable = text.startswith("nats://") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(
            Said(
                "skal være en URL som nats://host:4222; TLS understøttes ikke endnu",
                "must be a URL such as nats://host:4222; TLS is not supported yet",
            )
        )
    return text


def _has_wrong_port(dsn: str) -> bool:
    try:
        parts = urlsplit(dsn)
    except ValueError:
        return True
    asked = ",".join(parse_qs(parts.query).get("port", [])).split(",")
    ports = PORT.findall(parts.netloc.rpartition("@")[2]) + [port for port in asked if port]
    return any(not (port.isdecimal() and 0 < int(port) <= HIGHEST_PORT) for port in ports)
