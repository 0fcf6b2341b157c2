"""The pytest plugin: the fixture `token_issuer`.

pytest loads this module in every run, as soon as the package is installed. So Django and the kit are imported only
when a test uses the fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .issuer import TokenIssuer


@pytest.fixture
def token_issuer(request: pytest.FixtureRequest) -> Iterator["TokenIssuer"]:
    """A `TokenIssuer`: an issuer of access tokens that the project trusts during the test, and no other."""
    from .issuer import TokenIssuer, key_of_process, project_algorithm  # noqa: PLC0415  # see above

    issuer = TokenIssuer(key=key_of_process(project_algorithm(), "key-1"))
    with issuer.installed():
        settings: Any = request.getfixturevalue("settings") if "settings" in request.fixturenames else None
        if not type(settings).__module__.startswith("pytest_django"):
            yield issuer
            return
        trusting = settings.OAUTH_JWT
    # pytest-django's fixture undoes all changes of a test together, so this one must be made through it.
    settings.OAUTH_JWT = trusting
    yield issuer
