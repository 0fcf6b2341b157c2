"""The guide for many tenants: its resolvers with the table, its settings, and its test."""

import pytest

from django_oauth_jwt.testing import TokenIssuer

from .manual_text import run_snippet, table

ACME = "https://sso.example.com/realms/acme"
ENTRA = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"


@pytest.fixture
def tenant(project, transactional_db):
    """The model of the page."""
    with project.model("tenants", "Tenant", "tenants-models") as tenant:
        yield tenant


@pytest.fixture
def whoami(project):
    """The views of the tutorial."""
    project.configure("settings", "middleware")
    project.route(whoami=project.module("books.views", "views").whoami)


def with_keys_of(issuer, resolver):
    """Return the resolver whose entries have an issuer's keys, since there is no network here."""

    def resolve(iss):
        entry = resolver(iss)
        if entry is not None:
            entry = {**entry, "JWKS_URI": None, "JWKS_SERVICE": issuer}
        return entry

    return resolve


def test_a_realm_in_the_table_is_trusted_for_its_own_audience(project, tenant, whoami, client, settings):
    """One that is not there, or no longer active, is not."""
    resolver = project.module("tenants.issuers", "tenants-resolver").tenant_issuer
    project.configure("tenants-settings")
    assert settings.OAUTH_JWT["ISSUER_RESOLVER"] == "tenants.issuers.tenant_issuer"
    tenant.objects.create(issuer=ACME, audience="acme")
    tenant.objects.create(issuer=ACME + "2", audience="acme", is_active=False)
    assert [resolver(iss) for iss in (ACME, ACME + "2", ACME + "3")] == [{"AUDIENCE": "acme"}, None, None]
    issuer = TokenIssuer(ACME, alg="ES256")
    settings.OAUTH_JWT = {"ISSUER_RESOLVER": with_keys_of(issuer, resolver)}
    statuses = [client.get("/whoami/", headers=issuer.headers(aud=aud)).status_code for aud in ("acme", "other")]
    assert statuses == [200, 403]


def test_entras_tenants_are_those_of_the_table(project, tenant, whoami, client, settings):
    """With the keys of all; an issuer that only begins like one is none, whatever the table says."""
    resolver = project.module("tenants.entra", "tenants-entra").entra_issuer
    project.configure("tenants-entra-settings")
    for issuer in (ENTRA, f"{ENTRA}/x"):
        tenant.objects.create(issuer=issuer, audience="")
    assert resolver(ENTRA) == {"JWKS_URI": "https://login.microsoftonline.com/common/discovery/v2.0/keys"}
    assert resolver(f"{ENTRA}/x") is None
    assert resolver(ENTRA.replace("72f9", "72fa")) is None
    issuer = TokenIssuer(ENTRA)
    audience = settings.OAUTH_JWT["AUDIENCE"]
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, "ISSUER_RESOLVER": with_keys_of(issuer, resolver)}
    statuses = [client.get("/whoami/", headers=issuer.headers(aud=aud)).status_code for aud in (audience, "other")]
    assert statuses == [200, 403]


def test_the_pages_test_passes(whoami, client):
    """As a project's own."""
    run_snippet("tenants-testing", namespace := {})
    namespace["test_two_customers"](client)


def test_the_pages_test_of_the_table_passes(project, tenant, whoami, client):
    """With the resolver of the page and its table, and the project's other settings."""
    project.module("tenants.issuers", "tenants-resolver")
    project.configure("tenants-settings")
    run_snippet("tenants-own-testing", namespace := {})
    test = namespace["test_a_customer_of_the_table"]
    assert [mark.name for mark in test.pytestmark] == ["django_db"]
    test(client)


def test_the_times_of_the_page_are_those_that_hold():
    """tests/tenants tries the first two with a clock, and tests/issuers all."""
    times = [row[1] for row in table("docs/guides/tenants.md", "How long it is remembered")]
    assert times == ["300 s", "30 s", "30 s", "1 s", "1 s"]
