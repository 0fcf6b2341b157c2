"""The figures, by the names and units that OpenTelemetry's semantic conventions ask for.

An attribute is left out where it says nothing: the issuer where it is not named or not trusted, the error of a success.
"""

from collections.abc import Iterator
from typing import Final

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

from ... import __version__
from ...conf import get_runtime
from ...jwks import JwksService, services_in_use
from .names import ISSUERS, attributes_of
from .tally import Tally

ISSUER: Final = "oauth.issuer"
REASON: Final = "oauth_jwt.reason"
ERROR_TYPE: Final = "error.type"
ACTIVE: Final = "oauth_jwt.introspection.active"

#: In seconds; those of the conventions for the duration of HTTP requests.
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

verified: Final = Tally(ISSUER)
refused: Final = Tally(ISSUER, REASON)


def key_ages(options: CallbackOptions) -> Iterator[Observation]:
    """Yield the age of the keys of each key service in use, where it is one of ours that has keys."""
    ages: dict[str | None, float] = {}
    for trusted, service in services_in_use(get_runtime()):
        age = service.age() if isinstance(service, JwksService) else None
        if age is not None:
            name = ISSUERS.known(trusted.issuer)
            ages[name] = max(age, ages.get(name, 0.0))  # several may be one name's, and the oldest counts
    for name, age in ages.items():
        yield Observation(age, attributes_of({ISSUER: name}))


_meter: Final = get_meter("django_oauth_jwt", __version__)
_meter.create_observable_counter(
    "oauth_jwt.tokens.verified", [verified.observe], unit="{token}", description="Tokens that were accepted."
)
_meter.create_observable_counter(
    "oauth_jwt.tokens.refused", [refused.observe], unit="{token}", description="Tokens that were refused."
)
_meter.create_observable_gauge(
    "oauth_jwt.jwks.age",
    [key_ages],
    unit="s",
    description="Time since the authorization server confirmed the keys in memory.",
)
jwks_fetch_duration: Final = _meter.create_histogram(
    "oauth_jwt.jwks.fetch.duration",
    unit="s",
    description="Duration of fetches of keys, discovery included.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)
introspection_duration: Final = _meter.create_histogram(
    "oauth_jwt.introspection.duration",
    unit="s",
    description="Duration of questions about tokens.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)
