"""The URL that a proof is for and the URL of a request, in the one spelling in which they can be compared.

That is RFC 3986 sections 6.2.2 and 6.2.3: letters of scheme and host, percent-encoding, dot segments, default port and
empty path make no difference. Nothing else is given up: a reserved character and its encoding stay two different URLs
(``/`` and ``%2F``, ``;`` and ``%3B``), and so do ``//`` and ``/``. Query and fragment do not count (RFC 9449
section 4.3).
"""

import re
from typing import Final
from urllib.parse import quote, unquote

from django.http import HttpRequest

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: RFC 3986 section 3.3; ``[]^|`` stand in no URL either, but browsers send them as they are.
_PATH_CHARACTER: Final = r"(?:[a-z0-9._~!$&'()*+,;=:@/\[\]^|-]|%[0-9a-f]{2})"
_PATH: Final = re.compile(rf"/{_PATH_CHARACTER}*", re.IGNORECASE | re.ASCII)
#: An absolute http or https URL without user name, and without the zone of an IPv6 address.
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{0,5}))?"
    rf"(?P<path>(?:/{_PATH_CHARACTER}*)?)(?:[?#][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_RESPELLED: Final = re.compile(r"%[0-9A-Fa-f]{2}|[\[\]^|]")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def normalized(url: str) -> str | None:
    """Return the URL in its normal form, without query and fragment; None for what is no absolute http(s) URL."""
    found = _URL.fullmatch(url)
    if found is None:
        return None
    scheme = found["scheme"].lower()
    port = int(found["port"] or _DEFAULT_PORTS[scheme])
    path = _without_dot_segments(_RESPELLED.sub(_respell, found["path"])) or "/"
    authority = found["host"].lower() + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")
    return f"{scheme}://{authority}{path}"


def is_for_url(htu: str, url: str) -> bool:
    """Tell whether a proof's ``htu`` is the URL of a request; what is no URL is no request's."""
    if htu == url:  # nearly always, and the request's is a URL
        return True
    form = normalized(htu)
    return form is not None and form == normalized(url)


def request_url(request: HttpRequest) -> str:
    """Return the URL of a request without its query, as Django knows it: see SECURE_PROXY_SSL_HEADER, ALLOWED_HOSTS.

    It is ``request.build_absolute_uri()`` but for the encoding of the path, which Django decodes: where the server
    tells how the path was sent (``/a%2Fb``), it is spelled so. Where it does not, each character that may stand in a
    path is itself, so a proof for ``/a%2Fb`` is none for what could be ``/a/b``. Raises DisallowedHost.
    """
    return f"{request.scheme}://{request.get_host()}{_sent_path(request)}"


def _sent_path(request: HttpRequest) -> str:
    target: str | None = request.META.get("RAW_URI") or request.META.get("REQUEST_URI")  # gunicorn; uWSGI, mod_wsgi
    if target is None:
        scope = getattr(request, "scope", None)  # of ASGI; what else has the name is a project's own
        target = str((scope.get("raw_path") if isinstance(scope, dict) else None) or b"", "latin-1")
    path = target.partition("?")[0]
    # A proxy may have changed the one and not the other. Then Django's is the path that is served.
    if _PATH.fullmatch(path) and unquote(path) == request.path:
        return path
    return quote(request.path, safe="/:@!$&'()*+,;=")


def _respell(found: re.Match[str]) -> str:
    text = found[0]
    if not text.startswith("%"):
        return f"%{ord(text):02X}"
    character = chr(int(text[1:], 16))
    return character if character in _UNRESERVED else text.upper()


def _without_dot_segments(path: str) -> str:
    """Do what RFC 3986 section 5.2.4 says, for a path that is absolute or empty."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
