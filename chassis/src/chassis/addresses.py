"""Where PostgreSQL and NATS are: judged by its shape before a driver trips over it, and never repeated."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

from chassis.problems import Said

HOST = r"([\w.%-]*|\[[0-9a-fA-F:.]+\])(:\d+)?"
DSN = re.compile(rf"postgres(ql)?://([^/?#]*@)?{HOST}(,{HOST})*([/?].*)?")
DSN_HINT = "postgresql://user:password@host:5432/database, with reserved characters in the password as %XX"
PORT = re.compile(r":(\d+)$")
HIGHEST_PORT = 65535


def postgres_dsn(text: str) -> str:
    """The DSN of a database. Raises ValueError with what is wanted."""
    if not DSN.fullmatch(text) or "\0" in unquote(text) or not _leads_somewhere(text):
        raise ValueError(Said(f"skal være som {DSN_HINT}", f"must look like {DSN_HINT}"))
    return text


def nats_url(text: str) -> str:
    """The URL of a NATS server. Raises ValueError with what is wanted; TLS is refused, it would not be spoken."""
    try:
        parts = urlsplit(text)
        usable = text.startswith("nats://") and parts.hostname and _is_host(parts.hostname) and parts.port != 0
        # A password with such a character in it would pass for a host and a port, and be shown as such.
        usable = usable and not (parts.path or parts.query or parts.fragment)
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


def _leads_somewhere(dsn: str) -> bool:
    """Whether the driver can read the DSN, which it splits at the first `@`, and look its hosts up."""
    try:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    except ValueError:
        return False
    lists = (unquote(parts.netloc.split("@", 1)[-1]), *query.get("host", []))
    places = [place for hosts in lists if hosts for place in hosts.split(",")]
    ports = [port for place in places for port in PORT.findall(place)] + ",".join(query.get("port", [])).split(",")
    return all(place and _is_host(PORT.sub("", place)) for place in places) and all(map(_is_port, filter(None, ports)))


def _is_host(name: str) -> bool:
    """Whether a name can be looked up, or is the folder of a socket."""
    try:
        name.encode("idna")
    except UnicodeError:
        return name.startswith("/")
    return True


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) <= HIGHEST_PORT
