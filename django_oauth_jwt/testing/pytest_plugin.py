"""The pytest plugin: the fixture `token_issuer`.

pytest loads this module at the start of every run where the package is installed, so nothing of Django
nor of the kit is imported until a test asks for the fixture.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from . import SigningKey, TokenIssuer


@pytest.fixture
def token_issuer() -> Iterator["TokenIssuer"]:
    """An issuer of access tokens that the project trusts during the test, and no other: a `TokenIssuer`."""
    from .issuer import TokenIssuer, project_algorithm  # noqa: PLC0415  # see above

    with TokenIssuer(key=_key(project_algorithm())).installed() as issuer:
        yield issuer


@cache
def _key(alg: str) -> "SigningKey":
    """Make the key once per process: an RSA key takes longer than most tests."""
    from .signing import SigningKey  # noqa: PLC0415  # see above

    return SigningKey.generate(alg)
