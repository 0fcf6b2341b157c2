"""The pytest plugin: the fixture `token_issuer`.

pytest loads this module at the start of every run where the package is installed, so nothing of Django
nor of the kit is imported until a test asks for the fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..testing import TokenIssuer


@pytest.fixture
def token_issuer(request: pytest.FixtureRequest) -> Iterator["TokenIssuer"]:
    """An issuer of access tokens that the project trusts during the test, and no other: a `TokenIssuer`."""
    from ..testing.issuer import TokenIssuer, key_of_process, project_algorithm  # noqa: PLC0415  # see above

    issuer = TokenIssuer(key=key_of_process(project_algorithm(), "key-1"))
    with issuer.installed():
        settings: Any = request.getfixturevalue("settings") if "settings" in request.fixturenames else None
        if not type(settings).__module__.startswith("pytest_django"):
            yield issuer
            return
        trusting = settings.OAUTH_JWT
    # What a test changes through pytest-django's fixture is undone in one go, so this must be among it.
    settings.OAUTH_JWT = trusting
    yield issuer
