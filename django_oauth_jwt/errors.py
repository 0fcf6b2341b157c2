"""The errors that refuse a request: one class for each kind of response, one stable ``reason`` for each cause."""

import math
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final, TypeVar

E = TypeVar("E", bound=BaseException)


class BearerError(Exception):
    """A request is refused.

    ``status`` is the HTTP status, ``error`` the error code (RFC 6750 section 3.1; None where the RFC wants none),
    ``description`` a sentence for the client's developer without secrets, ``reason`` a stable word for programs,
    such as ``expired``. ``detail`` says more, such as which claim is missing, to the project alone: in its log, to
    receivers of `token_rejected` and in ``explain_token``. None where there is no more to say.

    >>> try:
    ...     access_token = verify_token(encoded_token)
    ... except BearerError as error:
    ...     logger.info("refused: %s", error.reason)

    A resolver or a view may raise one with words of its own, or a subclass; ``status`` and ``error`` are the class's:

    >>> class UnpaidBill(BearerError):
    ...     status = 402
    >>> raise UnpaidBill("unpaid_bill", "The bill of last month is not paid")

    It can be copied and pickled, whatever arguments a subclass takes. ``args`` are the arguments that were given by
    position, so that the same refusal, but for ``detail``, can be made of JSON (Celery does so).
    """

    status: int = 403
    error: str | None = None
    # What a subclass neither sets nor hands to this class: Python's own errors need no ``super().__init__()`` either.
    reason: str = "refused"
    description: str = "The request is refused"
    detail: str | None = None

    def __init__(self, reason: str, description: str, *, detail: str | None = None) -> None:
        super().__init__(*self.args)  # those of the subclass, which Python has set already
        self.reason = reason
        self.description = description
        self.detail = detail

    def __str__(self) -> str:
        return self.description

    def __reduce__(self) -> str | tuple[object, ...]:
        return type(self).__new__, (type(self), *self.args), {**self.__dict__}


class MissingToken(BearerError):
    """The request has no bearer token. The challenge has no error code then (RFC 6750 section 3.1)."""

    status = 401
    DESCRIPTIONS: Final = MappingProxyType(
        {
            "no_authorization": "No Authorization header with a Bearer token",
            "other_scheme": "The Authorization scheme is not Bearer",
            "malformed_authorization": "The Authorization header is not Bearer and one token",
        }
    )

    def __init__(self, reason: str = "no_authorization") -> None:
        super().__init__(reason, self.DESCRIPTIONS.get(reason, "No token that can be used"))


class InvalidToken(BearerError):
    """The token is invalid.

    ``description`` None is that of a known reason. ``status`` is the one of express-oauth-jwt; the response has the one
    in the setting INVALID_TOKEN_STATUS, unless a subclass sets its own.

    >>> raise InvalidToken("wrong_tenant", "Token is for another tenant")
    """

    error = "invalid_token"
    status = 403
    DESCRIPTIONS: Final = MappingProxyType(
        {
            "empty": "Bearer token is empty",
            "too_long": "Token is too long",
            "malformed": "Token is malformed",
            "critical_header": "Token has a critical header parameter that is not supported",
            "wrong_algorithm": "Token algorithm is not accepted",
            "wrong_type": "Token type is not accepted",
            "unknown_kid": "Token is signed with an unknown key",
            "ambiguous_key": "Token does not say which key signed it",
            "bad_signature": "signature verification failed",
            "missing_claim": "Token is missing a claim that every token must have",
            "malformed_claim": "Token has a claim of the wrong type",
            "wrong_issuer": "Token issuer is not accepted",
            "wrong_audience": "Token audience is not accepted",
            "expired": "Token has expired",
            "not_yet_valid": "Token is not valid yet",
            "issued_in_the_future": "Token was issued in the future",
            "unknown_user": "Token belongs to no user",
            "revoked": "Token has been revoked",
            "inactive": "Token is not active",
            "unproven": "Token is not proven to be the sender's own",
        }
    )
    STATUSES: Final = MappingProxyType({"unproven": 401})  #: those that no setting changes, by reason

    def __init__(self, reason: str, description: str | None = None, *, detail: str | None = None) -> None:
        if description is None:
            description = self.DESCRIPTIONS.get(reason, "Token is not accepted")
        super().__init__(reason, description, detail=detail)
        if reason in self.STATUSES and not self.has_own_status:
            self.status = self.STATUSES[reason]

    @property
    def has_own_status(self) -> bool:
        """Whether the reason or a subclass says which status the answer has, and not the setting."""
        own = type(self).__mro__[: type(self).__mro__.index(InvalidToken)]
        return "status" in vars(self) or any("status" in vars(kind) for kind in own)


class InvalidProof(BearerError):
    """The DPoP proof of a bound token is missing or wrong (RFC 9449 section 7.1)."""

    error = "invalid_dpop_proof"
    status = 401
    DESCRIPTIONS: Final = MappingProxyType(
        {
            "missing_proof": "The token needs a proof in the DPoP header",
            "malformed_proof": "DPoP header is not one well-formed and signed proof with its public key",
            "wrong_proof_key": "DPoP proof is signed with another key than the token is bound to",
            "wrong_proof_method": "DPoP proof is for another method",
            "wrong_proof_url": "DPoP proof is for another URL",
            "stale_proof": "DPoP proof was not made just now",
            "replayed_proof": "DPoP proof was used before",
            "wrong_proof_token": "DPoP proof is for another token",
        }
    )

    def __init__(self, reason: str, *, detail: str | None = None) -> None:
        super().__init__(reason, self.DESCRIPTIONS.get(reason, "DPoP proof is not accepted"), detail=detail)


class NonceRequired(BearerError):
    """The DPoP proof lacks a nonce of this server, or has one that is too old (RFC 9449 section 9).

    ``nonce`` is the one to use from now on, for the header DPoP-Nonce of the answer.
    """

    error = "use_dpop_nonce"
    status = 401
    nonce: str = ""

    def __init__(self, nonce: str) -> None:
        super().__init__("use_dpop_nonce", "DPoP proof needs the nonce in the header DPoP-Nonce")
        self.nonce = nonce


class InsufficientScope(BearerError):
    """The token lacks a required scope (RFC 6750 section 3.1). ``scope`` has all required ones, space-separated.

    ``required`` is a list of scopes, or one string with spaces between them.
    """

    error = "insufficient_scope"
    status = 403
    scope: str = ""

    def __init__(self, required: str | Iterable[str] = (), *, detail: str | None = None) -> None:
        super().__init__("insufficient_scope", "Token is missing some required scope values", detail=detail)
        self.args = (_words(required),)
        self.scope = " ".join(self.args[0])


class MissingClaims(BearerError):
    """The token lacks a required claim, or has another value for it.

    ``missing`` are the names of these claims, with dots between the names of a path into nested objects; a string is
    one name. The client is not told of them.
    """

    error = "invalid_token"
    status = 403
    missing: tuple[str, ...] = ()

    def __init__(self, missing: str | Iterable[str] = (), *, detail: str | None = None) -> None:
        self.missing = (missing,) if isinstance(missing, str) else tuple(missing)
        detail = detail or ", ".join(map(str, self.missing)) or None
        super().__init__("missing_claims", "Token is missing some required claims", detail=detail)
        self.args = (self.missing,)


class InsufficientAuthentication(BearerError):
    """The user must log in again, or in another way (RFC 9470 section 3).

    ``acr_values`` (space-separated) and ``max_age`` (seconds, as a string) say how; "" where it does not matter.
    ``acr_values`` is made of a list, or of one string with spaces between the values.
    """

    error = "insufficient_user_authentication"
    status = 401
    acr_values: str = ""
    max_age: str = ""

    def __init__(
        self, acr_values: str | Iterable[str] = (), max_age: int | None = None, *, detail: str | None = None
    ) -> None:
        super().__init__(
            "insufficient_user_authentication",
            "A different or more recent authentication of the user is required",
            detail=detail,
        )
        self.args = (_words(acr_values), max_age)
        self.acr_values = " ".join(self.args[0])
        self.max_age = "" if max_age is None else str(max_age)


class KeysUnavailable(BearerError):
    """The keys cannot be fetched, and none are cached.

    ``retry_after`` is in seconds. It becomes a whole number of them, at least 1 (RFC 9110 section 10.2.3): a fraction
    is rounded up, and infinity and NaN are 1.
    """

    error = "temporarily_unavailable"
    status = 503
    retry_after: int = 1
    REASON = ("keys_unavailable", "The keys to check the token with are unavailable for now")

    def __init__(self, retry_after: float = 1) -> None:
        super().__init__(*self.REASON)
        self.retry_after = max(1, math.ceil(retry_after)) if math.isfinite(retry_after) else 1


class IssuerUnavailable(KeysUnavailable):
    """Whether the token's issuer is trusted cannot be told: ISSUER_RESOLVER fails, or has too much to do."""

    REASON = ("issuer_unavailable", "Whether the token's issuer is trusted cannot be told for now")


class ReplayCheckUnavailable(KeysUnavailable):
    """The cache cannot say whether a DPoP proof was used before."""

    REASON = ("replay_check_unavailable", "Whether the DPoP proof was used before cannot be told for now")


class IntrospectionUnavailable(KeysUnavailable):
    """The authorization server cannot be asked about the token (RFC 7662), or does not answer in time."""

    REASON = ("introspection_unavailable", "Whether the token is active cannot be told for now")


class RevocationCheckUnavailable(KeysUnavailable):
    """Whether the token was revoked cannot be told, or not be written down: IS_REVOKED or the cache fails."""

    REASON = ("revocation_check_unavailable", "Whether the token was revoked cannot be told for now")


def without_frames(error: E) -> E:
    """Return an error without frames, cause and context: reports show their variables, among them tokens and proofs."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _words(values: str | Iterable[str]) -> tuple[str, ...]:
    # A tuple, since an iterator could be read once, and not be sent to another process.
    return tuple(values.split() if isinstance(values, str) else values)
