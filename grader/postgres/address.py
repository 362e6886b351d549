"""Connection strings as URLs, which every driver reads the same."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

OWN = ("user", "password", "dbname", "host", "port")


def parsed(url: str) -> dict[str, str]:
    """Return the parameters of a connection string.

    Raises:
        psycopg.ProgrammingError: it is none.
    """
    found = conninfo_to_dict(url)
    return {name: str(value) for name, value in found.items() if value is not None}


def url_of(parameters: Mapping[str, str]) -> str:
    """Return the URL that connects with these parameters.

    The folder of a unix socket goes behind the question mark: before it, some drivers
    take it for a host.
    """
    known = {name: parameters.get(name, "") for name in OWN}
    rest = {name: value for name, value in parameters.items() if name not in OWN}
    host, port = known["host"], known["port"]
    in_query = host.startswith(("/", "@")) or "," in host or not host
    if in_query:
        rest = {k: known[k] for k in ("host", "port") if known[k]} | rest
    elif ":" in host:
        host = f"[{host}]"
    place = "" if in_query else f"{host}:{port}" if port else host
    secret = f":{quote(known['password'], safe='')}" if known["password"] else ""
    user = f"{quote(known['user'], safe='')}{secret}@" if known["user"] else ""
    query = f"?{urlencode(rest, safe='/', quote_via=quote)}" if rest else ""
    return f"postgresql://{user}{place}/{quote(known['dbname'], safe='')}{query}"
