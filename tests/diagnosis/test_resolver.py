"""What is explained of a token where ISSUER_RESOLVER has a say."""

import json

import pytest
from django.core.management import call_command

from django_oauth_jwt.conf import get_runtime
from django_oauth_jwt.diagnosis import explain
from django_oauth_jwt.errors import IssuerUnavailable
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import verify_token

from ..fixtures.issuers import refusal_of
from .resolvers import RESOLVER, TENANT, USELESS, WRONG, tenant
from .rules import RULES

LISTED, STRANGER = TokenIssuer("https://listed.test", alg="ES256"), TokenIssuer("https://stranger.test", alg="ES256")
PLACE = RULES.index("issuer")


@pytest.fixture(autouse=True)
def _resolving(settings):
    settings.OAUTH_JWT = {"ISSUER_RESOLVER": RESOLVER}


@pytest.fixture
def _listing(settings):
    listed = {LISTED.issuer: {"JWKS": LISTED.jwks(), "REQUIRED_CLAIMS": ["exp", "tenant"]}}
    settings.OAUTH_JWT = {"ISSUER_RESOLVER": RESOLVER, "ISSUERS": listed}


def rows(token):
    """Return what each rule says, by its name."""
    return {row.rule: row for row in explain(token, get_runtime()).results}


def test_a_tenant_is_held_to_its_own_entry():
    """The resolver has a row above the issuer's, and the audience is the entry's."""
    explanation = explain(tenant.token(aud="books"), get_runtime())
    assert explanation.is_accepted
    assert [row.rule for row in explanation.results] == [*RULES[:PLACE], "resolver", *RULES[PLACE:]]
    found = rows(tenant.token(aud="else"))
    assert found["resolver"].detail == "ISSUER_RESOLVER was asked"
    assert found["issuer"].detail == f'"{TENANT}"; trusted: those that ISSUER_RESOLVER knows'
    assert found["keys"].detail == "of the setting JWKS"
    assert [row.reason for row in found.values() if row.reason] == ["wrong_audience"]


@pytest.mark.usefixtures("_listing")
def test_for_a_listed_issuer_the_resolver_is_not_asked():
    """The rule that trusts others is named among what is trusted."""
    found = rows(LISTED.token(tenant="a"))
    assert "resolver" not in found
    assert found["issuer"].detail.endswith('trusted: "https://listed.test", those that ISSUER_RESOLVER knows')


def test_an_issuer_that_is_not_known_is_refused():
    """The rest is checked by what holds for all issuers; where its keys are nobody knows."""
    found = rows(STRANGER.token(expired=True))
    assert found["resolver"].passed
    assert found["issuer"].reason == "wrong_issuer"
    assert found["issuer"].detail.endswith(
        '("https://stranger.test"; trusted: those that ISSUER_RESOLVER knows; '
        "the rest is checked by the settings for all issuers)"
    )
    assert found["keys"].detail == "not checked: the issuer is not known, and so not where its keys are"
    assert found["exp"].reason == "expired"
    assert [found[rule].passed for rule in ("key", "signature")] == [None] * 2
    assert refusal_of(STRANGER.token()) == "wrong_issuer"


@pytest.mark.usefixtures("_listing")
def test_beside_a_listed_issuer_the_rest_is_checked_as_if_it_were_of_that():
    """As without a resolver."""
    detail = rows(STRANGER.token())["issuer"].detail
    assert detail.endswith('knows; the rest is checked as if it were of "https://listed.test")')


@pytest.mark.usefixtures("_listing")
def test_what_holds_for_a_listed_issuer_is_not_held_against_one_that_may_be_trusted():
    """Neither its keys nor its audience say anything of such a token."""
    assert explain(tenant.token(iss=USELESS), get_runtime()).reasons == ["issuer_unavailable"]


@pytest.mark.parametrize("iss", [USELESS, WRONG])
def test_a_resolver_that_fails_leaves_it_open_whether_the_issuer_is_trusted(iss, caplog):
    """The token is refused for that, and not called one of a wrong issuer; the log says what went wrong."""
    token = tenant.token(iss=iss)
    explanation = explain(token, get_runtime())
    assert explanation.reasons == ["issuer_unavailable"]
    found = rows(token)
    assert not found["resolver"].passed
    assert found["issuer"].passed is None
    assert found["issuer"].detail == "not checked: ISSUER_RESOLVER cannot say"
    assert [found[rule].passed for rule in ("keys", "key", "signature")] == [None] * 3
    with pytest.raises(IssuerUnavailable):
        verify_token(token)
    assert ("the table is gone" if iss == USELESS else "JWKS_URL") in caplog.text


@pytest.mark.parametrize("iss", [None, 1, "", [TENANT]])
def test_what_is_no_name_is_not_asked_about(iss):
    """There is no row for what did not happen, and no other verdict than that of verification."""
    token = tenant.token(iss=iss)
    found = rows(token)
    assert ("resolver" in found) == (iss == "")
    assert found["issuer"].reason == refusal_of(token) == "wrong_issuer"


def test_the_command_says_where_to_find_the_reason(capsys):
    """As text; with --json the reason alone."""
    call_command("explain_token", tenant.token(iss=USELESS))
    output = capsys.readouterr().out
    assert (
        "The token is refused: issuer_unavailable.\nWhy ISSUER_RESOLVER cannot say is in the log, as an ERROR."
        in output
    )
    call_command("explain_token", tenant.token(iss=USELESS), "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["reasons"] == ["issuer_unavailable"]
    assert {"rule": "issuer", "passed": None, "detail": "not checked: ISSUER_RESOLVER cannot say", "reason": None} in (
        document["rules"]
    )
