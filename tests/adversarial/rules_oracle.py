"""The rules for header and claims once more, read by somebody else: what the package decides is compared with this."""

import math

from .forge import AUDIENCE, ISSUER

LEEWAY = 30


def is_json(value):
    """Tell whether a value can be said in JSON, and in UTF-8."""
    if isinstance(value, dict):
        return all(is_json(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(is_json(element) for element in value)
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, float) or math.isfinite(value)


def is_time(value):
    """Tell whether a JSON value is a NumericDate."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_other_use(value):
    """Tell whether an authorization server says so of a refresh or ID token."""
    return isinstance(value, str) and value.lower() in ("refresh", "refresh_token", "offline", "id", "id_token")


def are_good_claims(claims, now):
    """Decide as RFC 7519 does, for the corpus's issuer and audience."""
    aud = claims.get("aud") if isinstance(claims.get("aud"), list) else [claims.get("aud")]
    times = [claims[name] for name in ("exp", "nbf", "iat") if name in claims]
    return (
        is_json(claims)
        and claims.get("iss") == ISSUER
        and AUDIENCE in aud
        and all(isinstance(value, str) for value in aud)
        and not {"at_hash", "c_hash", "s_hash", "events", "token_introspection"} & claims.keys()
        and not any(is_other_use(claims.get(name)) for name in ("token_use", "token_type", "typ"))
        and isinstance(claims.get("sub", ""), str | None)
        and "exp" in claims
        and all(is_time(value) for value in times)
        and claims["exp"] > now - LEEWAY
        and max(claims.get("nbf", now), claims.get("iat", now)) <= now + LEEWAY
    )


def is_good_header(header):
    """Decide as RFC 7515 does, for a token that the corpus's ES256 key has signed."""
    typ = header.get("typ")
    return (
        is_json(header)
        and not {"crit", "b64"} & header.keys()
        and header.get("alg") == "ES256"
        and header.get("kid", "ES256") == "ES256"  # without a name, the one key for ES256 is meant
        and ("typ" not in header or (isinstance(typ, str) and typ.lower() in ("jwt", "at+jwt")))
        and all(isinstance(header.get(name, ""), str) for name in ("x5t", "x5t#S256"))
        and all(header.get(name, "") is not None for name in ("jku", "jwk", "x5u", "x5c", "cty", "nonce"))
    )
