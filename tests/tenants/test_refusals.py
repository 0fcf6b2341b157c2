"""What nobody has said yes to is never fetched, and a resolver that cannot say is no reason to refuse for good."""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from django_oauth_jwt.errors import KeysUnavailable
from django_oauth_jwt.testing import TokenIssuer
from django_oauth_jwt.verification import verify_token

from ..fixtures.forks import in_child
from ..servers.faulty_server import FOREVER
from .issuers import A, B

OURS = "django_oauth_jwt"


@pytest.fixture
def errors(caplog):
    """The lines of our log at ERROR."""
    return lambda: [record for record in caplog.records if (record.name, record.levelno) == (OURS, logging.ERROR)]


class TestFetches:
    """At an authorization server that counts what it is asked."""

    @pytest.fixture
    def token(self, auth_server):
        return auth_server.issuer.token("read")

    def test_nothing_is_fetched_before_the_resolver_has_said_yes(self, tenants, enter, auth_server, token, frozen_time):
        """Nor after it has said no; then the keys come from where the issuer's metadata say."""
        auth_server.metadata["/.well-known/oauth-authorization-server"] = {
            "issuer": auth_server.origin,
            "jwks_uri": auth_server.uri,
        }
        token = auth_server.issuer.token("read")
        assert enter(token)[0] == 403
        assert auth_server.requests == []
        tenants.add(auth_server.origin)
        frozen_time.now += 30
        tenants.instead, resolve = (
            lambda iss: pytest.fail("fetched early") if auth_server.requests else resolve(iss),
            (tenants.instead),
        )
        assert enter(token)[0] == 200
        assert [exchange.path for exchange in auth_server.requests] == [
            "/.well-known/oauth-authorization-server",
            "/jwks",
        ]

    def test_keys_come_from_the_entrys_jwks_uri(self, tenants, enter, auth_server, token):
        """Without discovery; and once, however many tokens come."""
        tenants.add(auth_server.origin, JWKS_URI=auth_server.uri)
        for _ in range(3):
            assert enter(auth_server.issuer.token("read"))[0] == 200
        assert [exchange.path for exchange in auth_server.requests] == ["/jwks"]

    def test_two_tenants_may_have_one_jwks_uri(self, tenants, client_get, auth_server):
        """As those of Entra have. What differs is the issuer, and it is checked."""
        names = [f"https://login.example.com/{number}/v2.0" for number in range(2)]
        tenants.add(names[0], JWKS_URI=auth_server.uri)
        tenants.add(names[1], JWKS_URI=auth_server.uri)
        for name in (*names, *names):
            assert client_get(auth_server.issuer.token(iss=name)).status_code == 200
        assert client_get(auth_server.issuer.token(iss="https://login.example.com/2/v2.0")).status_code == 403
        assert auth_server.fetches == 1

    @pytest.mark.parametrize("broken", ["raises", "wrong entry", "refuses"])
    def test_nothing_is_fetched_for_an_issuer_without_a_yes(self, tenants, enter, auth_server, token, broken):
        """An error and a wrong entry are none; and a name that is in no table may be anybody's server."""
        tenants.instead = {
            "raises": lambda iss: 1 / 0,
            "wrong entry": lambda iss: {"JWKS_URI": auth_server.uri, "AUDIENCES": "api"},
            "refuses": lambda iss: None,
        }[broken]
        assert enter(token)[0] == (403 if broken == "refuses" else 503)
        assert auth_server.requests == []

    def test_each_token_of_an_entry_is_asked_about(self, tenants, enter, auth_server):
        """INTROSPECTION with TOKENS "all" in the entry: a good JWT that is revoked there is refused."""
        asking = auth_server.introspection(TOKENS="all", CACHE_SECONDS=0)
        tenants.add(auth_server.origin, JWKS_URI=auth_server.uri, INTROSPECTION=asking)
        token = auth_server.issuer.token("read")
        assert enter(token)[0] == 200
        auth_server.issuer.revoke(token)
        assert enter(token)[0] == 403
        assert len(auth_server.questions) == 2

    def test_the_projects_own_secret_goes_to_no_tenant(self, trust_tenants, enter, auth_server, token, errors):
        """Who runs a tenant's server would have it. An entry says itself how its server is asked, or None."""
        auth_server.metadata["/.well-known/oauth-authorization-server"] = {
            "issuer": auth_server.origin,
            "jwks_uri": auth_server.uri,
            "introspection_endpoint": f"{auth_server.origin}/introspect",
        }
        own = {"CLIENT_ID": "api", "CLIENT_SECRET": "hidden", "TOKENS": "all"}
        tenants = trust_tenants(ISSUER=A.issuer, INTROSPECTION=own)
        tenants.add(auth_server.origin)
        assert enter(token)[0] == 503
        assert auth_server.requests == []
        (line,) = errors()
        assert "CLIENT_SECRET of OAUTH_JWT['INTROSPECTION'] sent to where the issuer says" in line.getMessage()
        assert "hidden" not in line.getMessage()

    @pytest.mark.parametrize(
        ("shared", "entry"), [({"TOKENS": "all"}, {"INTROSPECTION": None}), ({}, {})], ids=["left out", "inherited"]
    )
    def test_a_secret_that_goes_nowhere_is_no_fault(self, trust_tenants, enter, auth_server, token, shared, entry):
        """Where nobody is asked about the tenant's tokens, or about opaque ones alone, which are none of a tenant."""
        own = {"CLIENT_ID": "api", "CLIENT_SECRET": "hidden", **shared}
        trust_tenants(ISSUER=A.issuer, INTROSPECTION=own).add(auth_server.origin, JWKS_URI=auth_server.uri, **entry)
        assert enter(token)[0] == 200
        assert {exchange.path for exchange in auth_server.requests} == {"/jwks"}

    def test_an_endpoint_of_the_projects_own_is_asked_about_tenants_tokens(
        self, trust_tenants, enter, auth_server, token
    ):
        """It is where the secret belongs."""
        tenants = trust_tenants(ISSUER=A.issuer, INTROSPECTION=auth_server.introspection(TOKENS="all"))
        tenants.add(auth_server.origin, JWKS_URI=auth_server.uri)
        assert enter(token)[0] == 200
        assert len(auth_server.questions) == 1


def raising(error):
    """Return a resolver that raises an error."""

    def raises(iss):
        raise error

    return raises


class TestFailures:
    """The resolver cannot say."""

    def test_an_error_is_503_with_retry_after_and_one_line_of_the_log(self, tenants, client_get, errors):
        """With the error's own traceback, and no token."""
        tenants.instead = lambda iss: {}[iss]
        tokens = [A.token(jti=str(number)) for number in range(5)]
        for token in tokens:
            response = client_get(token)
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) >= 1
            assert "WWW-Authenticate" not in response.headers
        (line,) = errors()
        assert line.getMessage() == "ISSUER_RESOLVER failed"
        assert line.exc_info[0] is KeyError
        assert not any(token in repr(vars(line)) for token in tokens)
        assert tenants.asked == [A.issuer]

    def test_a_database_that_is_back_is_asked_a_second_later(self, tenants, enter, frozen_time):
        """Nobody is refused for what was not known for a moment."""
        tenants.add(A)
        tenants.instead, resolve = lambda iss: {}[iss], tenants.instead
        token = A.token("read")
        assert enter(token)[0] == 503
        tenants.instead = resolve
        assert enter(token)[0] == 503
        frozen_time.now += 1
        assert enter(token)[0] == 200

    @pytest.mark.parametrize(
        ("entry", "words"),
        [
            ({"AUDIENCES": "api"}, "has an unknown key 'AUDIENCES'. Did you mean 'AUDIENCE'?"),
            ({"CACHE": "default"}, "has a key 'CACHE' that an issuer cannot have for itself."),
            ({"LEEWAY": "5"}, "['LEEWAY'] must be a number of seconds"),
            ({"JWKS_URI": "http://as.example.com/jwks"}, "['JWKS_URI'] would have the keys fetched without TLS"),
            ("https://as.example.com/jwks", "must be a dict"),
        ],
    )
    def test_a_wrong_entry_is_503_and_an_error_with_the_keys_name(self, tenants, client_get, errors, entry, words):
        """For that issuer alone."""
        tenants.add(B)
        resolve = tenants.instead
        tenants.instead = lambda iss: entry if iss == A.issuer else resolve(iss)
        for _ in range(3):
            response = client_get(A.token())
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) >= 1
        (line,) = errors()
        assert words in line.getMessage()
        assert A.issuer in line.getMessage()
        assert client_get(B.token()).status_code == 200

    def test_an_entry_that_raises_when_it_is_read_is_503(self, tenants, enter, errors):
        """A dict that asks the database late. The log has no frames, whose variables are the entry and its secrets."""

        class Late(dict):
            def items(self):
                raise OSError("the database is down")

        tenants.instead = lambda iss: Late()
        assert enter(A.token("read"))[0] == 503
        (line,) = errors()
        assert line.getMessage() == "ISSUER_RESOLVER failed"
        assert (line.exc_info[0], line.exc_info[2]) == (OSError, None)

    def test_a_key_service_that_cannot_be_made_is_503(self, tenants, enter, errors):
        """For that issuer alone, as for any other entry that is wrong."""

        def make():
            raise OSError("no such host")

        tenants.add(B)
        resolve = tenants.instead
        tenants.instead = lambda iss: {"JWKS_SERVICE": make} if iss == A.issuer else resolve(iss)
        assert enter(A.token("read"))[0] == 503
        (line,) = errors()
        assert "raised OSError: no such host" in str(line.exc_info[1])
        assert enter(B.token("read"))[0] == 200

    @pytest.mark.parametrize("at", ["the resolver", "the factory"])
    def test_a_word_of_the_projects_own_is_passed_on(self, tenants, enter, client_get, errors, at):
        """A KeysUnavailable, of the resolver or of a factory in JWKS_SERVICE; nothing is logged."""
        refuse = raising(KeysUnavailable(77))
        tenants.instead = refuse if at == "the resolver" else lambda iss: {"JWKS_SERVICE": lambda: refuse(iss)}
        assert enter(A.token("read"))[0] == 503
        for _ in range(2):
            response = client_get(A.token("read"))
            assert (response.status_code, response.headers["Retry-After"]) == (503, "77")
        assert errors() == []

    def test_another_authenticator_gets_no_token_of_a_tenant(self, trust_tenants, client_get, settings):
        """PASS_FOREIGN_TOKENS: a tenant's is ours, another's is passed on, and in doubt it is ours."""
        from rest_framework.authentication import TokenAuthentication  # noqa: PLC0415

        from ..introspection.entrances import ApiView  # noqa: PLC0415

        class Next(TokenAuthentication):
            keyword = "Bearer"

            def authenticate(self, request):
                seen.append(request)

        seen, settings.MIDDLEWARE = [], []
        tenants = trust_tenants(PASS_FOREIGN_TOKENS=True)
        tenants.add(A)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ApiView, "authentication_classes", (*ApiView.authentication_classes, Next))
            assert client_get(A.token("read"), "/drf").status_code == 200
            assert client_get(A.token("read", forged=True), "/drf").status_code == 403
            assert seen == []
            client_get(B.token("read"), "/drf")
            assert len(seen) == 1
            for iss, error in (("https://c.example.com", OSError()), ("https://d.example.com", KeysUnavailable(77))):
                tenants.instead = raising(error)
                assert client_get(TokenIssuer(iss, key=B.keys[0]).token(), "/drf").status_code == 503
            assert len(seen) == 1


def test_a_child_process_asks_for_itself(settings, bare_project):
    """Nothing of its parent's memory, locks or threads is needed in it."""
    asked = []

    def resolver(iss):
        asked.append(iss)
        return {"JWKS_SERVICE": A}

    settings.OAUTH_JWT = {"ISSUER_RESOLVER": resolver}
    token = A.token()
    assert verify_token(token).issuer == A.issuer
    assert in_child(lambda: verify_token(A.token(jti="2")) and len(asked) == 2)


def test_requests_that_come_together_ask_once(settings, bare_project):
    """Those of one issuer wait for the same question."""
    asked, release = [], threading.Event()

    def resolver(iss):
        asked.append(iss)
        assert release.wait(FOREVER)
        return {"JWKS_SERVICE": A}

    settings.OAUTH_JWT = {"ISSUER_RESOLVER": resolver}
    tokens = [A.token(jti=str(number)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(verify_token, token) for token in tokens]
        release.set()
        assert {each.result(FOREVER).issuer for each in found} == {A.issuer}
    assert asked == [A.issuer]


def test_an_entry_is_json_as_a_table_holds_it(tenants, client_get):
    """The keys as well: an inline JWKS."""
    tenants.add(B.issuer, JWKS=json.loads(json.dumps(B.jwks())))
    assert client_get(B.token()).status_code == 200
