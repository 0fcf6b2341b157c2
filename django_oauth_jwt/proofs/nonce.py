"""The nonce of a proof: only a proof that was made just now has one (RFC 9449 section 9).

It is the time at which it was made, in milliseconds, signed with SECRET_KEY: so all processes know it for theirs, none
keeps it, and nobody can tell the next one. SECRET_KEY_FALLBACKS count, so a change of keys refuses no client.
"""

from typing import Final

from django.core.signing import BadSignature, Signer

from ..errors import NonceRequired

_SALT: Final = "django_oauth_jwt.proofs.nonce"
_SEPARATOR: Final = "."


def new_nonce(now: float) -> str:
    """Return a nonce that is made now, in Unix seconds."""
    return _signer().sign(str(int(now * 1000)))


def check_nonce(nonce: str | None, now: float, seconds: float) -> str | None:
    """Return the nonce to give to the client, None while its own is good for another half of so many seconds.

    Raises NonceRequired, which has a new one, for a nonce that is missing, not ours or too old.
    """
    age = None if nonce is None else _age(nonce, now)
    # The clock of another server that made it may be ahead of ours.
    if age is None or abs(age) > seconds:
        raise NonceRequired(new_nonce(now))
    return new_nonce(now) if age > seconds / 2 else None


def _age(nonce: str, now: float) -> float | None:
    try:
        made_at = _signer().unsign(nonce)
    except BadSignature:
        return None
    return now - int(made_at) / 1000


def _signer() -> Signer:
    return Signer(sep=_SEPARATOR, salt=_SALT)
