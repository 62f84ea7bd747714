"""Did a browser send this from one of our own pages?

A browser adds its cookies to requests that other sites cause. `SameSite=Strict` already withholds
them, but counts every port of a host as the same site; this check compares the whole origin.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def same_origin(origin: str | None, host: str) -> bool:
    """Whether the `Origin` header names the server that the `Host` header addressed.

    A missing or opaque ("null") origin is not ours: browsers send it with every unsafe request.
    The scheme is not compared, since a TLS proxy in front changes it.
    """
    if not origin or not host:
        return False
    try:
        ours, theirs = urlsplit(f"//{host}"), urlsplit(origin)
        default = _DEFAULT_PORTS[theirs.scheme]
        same_port = (theirs.port or default) == (ours.port or default)
    except (KeyError, ValueError):
        return False
    return theirs.hostname is not None and theirs.hostname == ours.hostname and same_port
