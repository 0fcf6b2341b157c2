"""A project whose tenants stand in a table, and every way into it."""

import pytest

from ..fixtures.projects import table_of
from ..introspection import entrances
from .issuers import KEYS_OF
from .table import Tenant, resolve


class Tenants:
    """The resolver: asks the table, and counts. A test may have it do something else with ``instead``."""

    def __init__(self):
        self.asked = []
        self.instead = resolve

    def __call__(self, iss):
        self.asked.append(iss)
        return self.instead(iss)

    def add(self, issuer, **entry):
        """Put an issuer into the table, with the keys of one of ours if it is."""
        entry = {**KEYS_OF.get(issuer, {}), **entry}
        name = getattr(issuer, "issuer", issuer)
        Tenant.objects.update_or_create(issuer=name, defaults={"entry": entry})

    def remove(self, issuer):
        Tenant.objects.filter(issuer=issuer.issuer).delete()


@pytest.fixture(scope="session")
def _table(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), table_of(Tenant):
        yield


@pytest.fixture
def trust_tenants(settings, bare_project, _table, db):
    """Have the project trust the tenants of the table, with more settings; returns the resolver."""

    def trust_tenants(**more):
        tenants = Tenants()
        settings.OAUTH_JWT = {"ISSUER_RESOLVER": tenants, **more}
        return tenants

    return trust_tenants


@pytest.fixture
def tenants(trust_tenants):
    """The tenants of a project that has no other settings."""
    return trust_tenants()


@pytest.fixture(params=entrances.ENTRANCES)
def enter(request, settings, bare_project):
    """Enter with a token, in every way there is; returns the status, and the claims where it is 200."""
    settings.ROOT_URLCONF = entrances
    settings.MIDDLEWARE = [entrances.MIDDLEWARE] if request.param.startswith("middleware") else []
    return entrances.ENTRANCES[request.param]


@pytest.fixture
def client_get(client, settings, bare_project):
    """Send a request through the middleware: ``client_get(token)`` returns the answer."""
    settings.ROOT_URLCONF = entrances
    settings.MIDDLEWARE = [entrances.MIDDLEWARE]
    return lambda token, at="/middleware": client.get(at, headers={"Authorization": f"Bearer {token}"})
