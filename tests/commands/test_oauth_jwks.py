"""`manage.py oauth_jwks`: the keys at hand, and what is wrong with the others."""

import json
from io import StringIO

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command

from django_oauth_jwt.errors import InvalidToken, KeysUnavailable
from django_oauth_jwt.testing import SigningKey

RSA = SigningKey.generate("RS256", "rsa")
EC = SigningKey.generate("ES384", "ec")
OKP = SigningKey.generate("EdDSA", "okp")
ENCRYPTION = {**EC.public_jwk(), "kid": "for-encryption", "use": "enc"}
ALL = {"keys": [RSA.public_jwk(), {**EC.public_jwk(), "use": None}, OKP.public_jwk(), ENCRYPTION, "\x1b[31m"]}


@pytest.fixture
def mixed_server(jwks_server, settings):
    """A server with all kinds of keys, which the project trusts."""
    jwks_server.document = ALL
    settings.OAUTH_JWT = {"JWKS_URI": f"{jwks_server.origin}/jwks", "ISSUER": "https://as.example.com"}
    return jwks_server


@pytest.fixture
def another_process(settings):
    """Forget the keys of this process, but not the shared cache."""

    def forget():
        settings.OAUTH_JWT = dict(settings.OAUTH_JWT)

    return forget


def test_the_table_shows_each_key_and_why_one_is_of_no_use(mixed_server, run):
    """kid, type, size or curve, algorithms and use; ok for a usable key, no and the reason for another."""
    output, status = run("oauth_jwks")
    issuer, source, *table = output.splitlines()
    assert issuer == 'Issuer: "https://as.example.com"'
    assert source.startswith(f"Source: {mixed_server.origin}/jwks, fetched in 0.")
    assert source.endswith("0:00:00 ago")
    assert table == [
        "     name              kty  size       algorithms  use  problem",
        "  ok 'rsa'             RSA  2048 bits  RS256       sig",
        "  ok 'ec'              EC   P-384      ES384",
        "  ok 'okp'             OKP  Ed25519    EdDSA       sig",
        "  no 'for-encryption'                                   use is not sig",
        "  no number 5                                           not an object",
    ]
    assert status == 0


def test_keys_without_kid_and_alg_show_all_that_they_are_good_for(mixed_server, run):
    """A key may be used for each algorithm that it fits."""
    jwk = {name: value for name, value in RSA.public_jwk().items() if name not in ("kid", "alg")}
    mixed_server.document = {"keys": [jwk]}
    assert "ok no kid  RSA  2048 bits  PS256 PS384 PS512 RS256 RS384 RS512  sig" in run("oauth_jwks")[0]


def test_a_discovered_source_is_named_by_its_issuer_where_the_cache_does_not_know_it(
    mixed_server, run, settings, another_process
):
    """The cache holds the keys, not where they were found."""
    settings.OAUTH_JWT = {"ISSUER": mixed_server.origin}
    mixed_server.document = {
        **ALL,
        "issuer": mixed_server.origin,
        "jwks_uri": f"{mixed_server.origin}/found",
    }
    assert f"Source: {mixed_server.origin}/found, fetched" in run("oauth_jwks")[0]
    assert f"Source: {mixed_server.origin}/found, fetched" in run("oauth_jwks")[0]
    another_process()
    assert (
        f"Source: the jwks_uri in the metadata of {mixed_server.origin}, from the shared cache" in run("oauth_jwks")[0]
    )


def test_json_says_the_same(mixed_server, run):
    """For programs: one object for each issuer."""
    output, _ = run("oauth_jwks", "--json")
    (report,) = json.loads(output)
    assert output.isascii()
    assert (report["issuer"], report["source"]) == ("https://as.example.com", f"{mixed_server.origin}/jwks")
    assert (report["origin"], report["problem"]) == ("fetch", "")
    assert report["fetched_at"] > 1_700_000_000
    assert 0 < report["fetch_seconds"] < 5
    assert report["keys"][1] == {
        "name": "ec",
        "kid": "ec",
        "kty": "EC",
        "size": "P-384",
        "algorithms": ["ES384"],
        "use": "",
        "problem": "",
    }
    assert [(key["name"], key["kid"], key["problem"]) for key in report["keys"][3:]] == [
        ("for-encryption", "for-encryption", "use is not sig"),
        ("number 5", None, "not an object"),
    ]


def test_a_long_name_is_whole(mixed_server, run):
    """The log cuts it off; who looks for a key may need all of it."""
    mixed_server.document = {"keys": [RSA.public_jwk(), {**ENCRYPTION, "kid": "k" * 200}]}
    (report,) = json.loads(run("oauth_jwks", "--json")[0])
    assert (report["keys"][1]["name"], report["keys"][1]["kid"]) == ("k" * 200, "k" * 200)
    assert f"no '{'k' * 200}' " in run("oauth_jwks")[0]


def test_keys_of_the_shared_cache_are_shown_without_a_fetch(mixed_server, run, another_process):
    """What another process fetched a moment ago is what this one uses, and the command says so."""
    run("oauth_jwks")
    another_process()
    output, _ = run("oauth_jwks")
    assert f"Source: {mixed_server.origin}/jwks, from the shared cache, fetched at " in output
    assert "'rsa'" in output
    assert mixed_server.count == 1


def test_refresh_fetches_for_all_processes(mixed_server, run, another_process):
    """With --refresh the keys come from the authorization server, into the shared cache."""
    run("oauth_jwks")
    mixed_server.document = {"keys": [OKP.public_jwk()]}
    assert "'rsa'" in run("oauth_jwks")[0]
    assert "'rsa'" not in run("oauth_jwks", "--refresh")[0]
    another_process()
    assert "'rsa'" not in run("oauth_jwks")[0]
    assert mixed_server.count == 2


def test_a_refresh_is_made_however_many_failed_before(mixed_server, run):
    """A person need not wait until the back-off is over."""
    mixed_server.status = 500
    run("oauth_jwks")
    mixed_server.status = 200
    output, status = run("oauth_jwks", "--refresh")
    assert ("'rsa'" in output, status) == (True, 0)


def test_a_refresh_that_fails_shows_the_keys_that_are_still_good(mixed_server, run, another_process):
    """The keys of the cache are kept through an outage; the exit status tells of the outage."""
    run("oauth_jwks")
    mixed_server.status = 500
    another_process()
    output, status = run("oauth_jwks", "--refresh")
    assert "'rsa'" in output
    assert "from the shared cache" in output
    assert "The refresh failed: status 500; next try at " in output
    assert status == 1


@pytest.mark.parametrize(
    ("status", "document", "why"),
    [
        (500, ALL, "status 500"),
        (200, {"keys": []}, "no usable key in the JWKS;"),
        (200, {"keys": None}, "a JWKS is an object with a list 'keys'"),
    ],
)
def test_no_usable_key_is_exit_status_1_with_the_reason(mixed_server, run, status, document, why):
    """For monitoring, and for whoever wonders why every request is refused."""
    mixed_server.status, mixed_server.document = status, document
    output, code = run("oauth_jwks")
    assert f"There are no usable keys: {why}" in output
    assert "next try at" in output
    assert code == 1
    (report,) = json.loads(run("oauth_jwks", "--json")[0])
    assert (report["keys"], report["origin"]) == ([], "")


def test_the_address_that_failed_is_named(auth_server, run, settings, another_process):
    """Where it stands in metadata that were found, and neither source nor reason names it."""
    origin = auth_server.origin
    settings.OAUTH_JWT = {"ISSUER": origin}
    metadata = {"issuer": origin, "jwks_uri": f"{origin}/gone?token=secret"}
    auth_server.metadata["/.well-known/oauth-authorization-server"] = metadata
    for _ in range(2):
        output, _ = run("oauth_jwks")
        assert "There are no usable keys: status 404; next try at " in output
        assert f" from now; asked: {origin}/gone\n" in output
        another_process()
    settings.OAUTH_JWT = {"JWKS_URI": f"{origin}/gone?token=secret"}
    assert "asked: " not in run("oauth_jwks")[0]


@pytest.mark.parametrize("is_discovered", [False, True])
def test_where_no_key_is_usable_each_is_shown_with_its_reason(mixed_server, run, settings, is_discovered):
    """All of them, in the table, since one of them must be mended; the log has room for a few."""
    keys = [{**ENCRYPTION, "kid": f"enc-{number}"} for number in range(7)]
    mixed_server.document = {
        "keys": keys,
        "issuer": mixed_server.origin,
        "jwks_uri": f"{mixed_server.origin}/jwks",
    }
    if is_discovered:
        settings.OAUTH_JWT = {"ISSUER": mixed_server.origin}
    output, status = run("oauth_jwks")
    assert [line.split()[:2] for line in output.splitlines() if line.startswith("  no ")] == [
        ["no", f"'enc-{number}'"] for number in range(7)
    ]
    assert "There are no usable keys: no usable key in the JWKS: 'enc-0' use is not sig; 'enc-1' use" in output
    assert status == 1
    (report,) = json.loads(run("oauth_jwks", "--json")[0])
    assert report["problem"].startswith("no usable key in the JWKS: 'enc-0' use is not sig; 'enc-1' use")
    assert {key["problem"] for key in report["keys"]} == {"use is not sig"}


def test_where_the_keys_are_gone_meanwhile_the_reason_is_shown(mixed_server, run, monkeypatch):
    """The unusable keys are fetched once more, and that may fail."""
    mixed_server.document = {"keys": [ENCRYPTION]}
    run("oauth_jwks")
    mixed_server.status = 500
    output, status = run("oauth_jwks")
    assert "There are no usable keys: no usable key in the JWKS: 'for-encryption' use is not sig; next try" in output
    assert status == 1


def test_code_that_calls_the_command_is_ended_too(mixed_server):
    """A script that needs keys must not go on without them."""
    mixed_server.status = 500
    with pytest.raises(SystemExit) as end:
        call_command("oauth_jwks", stdout=StringIO())
    assert end.value.code == 1


def test_each_issuer_is_shown(mixed_server, run, token_issuer, settings, monkeypatch):
    """One without keys makes the exit status 1, and the others are shown all the same."""
    settings.OAUTH_JWT = {
        "ISSUERS": {
            "https://a.example.com": {"JWKS_URI": f"{mixed_server.origin}/a"},
            mixed_server.origin: {},
            "https://c.example.com": {"JWKS_SERVICE": token_issuer},
        }
    }
    mixed_server.document = {
        **ALL,
        "issuer": mixed_server.origin,
        "jwks_uri": f"{mixed_server.origin}/b",
    }
    output, status = run("oauth_jwks")
    assert f'Issuer: "https://a.example.com"\nSource: {mixed_server.origin}/a, fetched in' in output
    assert f'Issuer: "{mixed_server.origin}"\nSource: {mixed_server.origin}/b, fetched in' in output
    assert 'Issuer: "https://c.example.com"\nSource: JWKS_SERVICE TokenIssuer\n' in output
    assert status == 0
    monkeypatch.setattr(token_issuer, "current", lambda: None)
    output, status = run("oauth_jwks")
    assert "'rsa'" in output
    assert status == 1


def test_a_service_of_the_projects_own_may_have_no_keys(run, token_issuer, monkeypatch):
    """A source of keys that has none at hand is a problem like any other."""
    monkeypatch.setattr(token_issuer, "current", lambda: None)
    output, status = run("oauth_jwks")
    assert "There are no usable keys: no keys in memory" in output
    assert status == 1


def test_a_service_of_the_projects_own_may_fail(run, token_issuer, monkeypatch):
    """The report says how, and goes on."""

    def fail():
        raise RuntimeError("no vault")

    monkeypatch.setattr(token_issuer, "current", fail)
    output, status = run("oauth_jwks")
    assert "There are no usable keys: the key service failed: RuntimeError: no vault" in output
    assert status == 1


REFUSALS = {
    "that says when to come back": (
        KeysUnavailable(77),
        "keys_unavailable (The keys to check the token with are unavailable for now); Retry-After: 77",
    ),
    "with a detail": (
        InvalidToken("frozen", "Tenant is frozen", detail="since May"),
        "frozen (Tenant is frozen: since May)",
    ),
}


@pytest.mark.parametrize(("error", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_service_of_the_projects_own_may_refuse_requests(run, settings, token_issuer, monkeypatch, error, words):
    """A BearerError of its own, or of its factory, is no failure, but what requests are told: so says the report."""

    def refuse():
        raise error

    monkeypatch.setattr(token_issuer, "current", refuse)
    for service in (token_issuer, refuse):
        settings.OAUTH_JWT = {"ISSUER": token_issuer.issuer, "JWKS_SERVICE": service}
        output, status = run("oauth_jwks")
        assert f"There are no usable keys: the key service refuses requests: {words}\n" in output
        assert status == 1


def test_any_issuer_is_trusted_where_none_is_named(mixed_server, run, settings):
    """Without ISSUER the table says so."""
    settings.OAUTH_JWT = {"JWKS_URI": f"{mixed_server.origin}/jwks"}
    assert run("oauth_jwks")[0].startswith("Issuer: any\n")


def test_colours_are_for_terminals(mixed_server, run, terminal, monkeypatch):
    """A file or a pipe gets plain text, a terminal colours."""
    monkeypatch.setattr("django.core.management.color.supports_color", lambda: True)
    assert "\x1b" not in run("oauth_jwks")[0]
    assert "\x1b[32;1mok\x1b[0m 'rsa'" in run("oauth_jwks", force_color=True)[0]
    assert "\x1b[32;1mok\x1b[0m 'rsa'" in run("oauth_jwks", stdout=terminal)[0]
    assert "\x1b" not in run("oauth_jwks", stdout=type(terminal)(), no_color=True)[0]


def test_a_terminal_that_knows_ascii_only_gets_ascii(mixed_server, run, terminal, monkeypatch):
    """A character that cannot be encoded must not be what ends the command."""
    monkeypatch.setattr(type(terminal), "encoding", "ascii")
    output, _ = run("oauth_jwks", stdout=terminal)
    assert output.isascii()
    assert "  ok 'rsa'" in output
    assert "  no 'for-encryption'" in output


def test_nothing_that_a_server_sends_reaches_the_terminal_as_it_is(mixed_server, run):
    """A kid is a stranger's text, and might hold what moves the cursor."""
    mixed_server.document = {"keys": [{**EC.public_jwk(), "kid": "\x1b[2J\n", "use": "\x1b[2J"}, RSA.public_jwk()]}
    output, _ = run("oauth_jwks")
    assert "\x1b" not in output
    assert "'\\x1b[2J\\n'" in output


def test_bad_settings_are_told_as_the_checks_tell_them(settings):
    """The command begins with the system checks of this app."""
    settings.OAUTH_JWT = {"JWKS_URL": "https://as.example.com/jwks"}
    with pytest.raises(CommandError, match="Did you mean 'JWKS_URI'"):
        call_command("oauth_jwks", skip_checks=False)


def test_the_cache_is_not_needed(mixed_server, run, settings):
    """A cache that holds nothing costs a fetch and nothing else."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert run("oauth_jwks")[1] == 0
    assert caches["default"].get("anything") is None


INTROSPECTION = {"CLIENT_ID": "books", "CLIENT_SECRET": "secret"}


def test_the_introspection_endpoint_has_a_line(mixed_server, run, settings):
    """Where, about which tokens, how we say who we are, for what answer, and for how long it is remembered."""
    endpoint = f"{mixed_server.origin}/introspect"
    settings.OAUTH_JWT |= {"INTROSPECTION": {**INTROSPECTION, "ENDPOINT": endpoint, "TOKENS": "all", "ANSWER": "jwt"}}
    output, status = run("oauth_jwks")
    words = f"Introspection: {endpoint} about all tokens, by client_secret_basic, for the JWT; remembered for 60 s"
    assert words in output.splitlines()
    assert status == 0
    assert json.loads(run("oauth_jwks", json=True)[0])[0]["introspection_problem"] == ""


def test_a_discovered_endpoint_is_looked_up(mixed_server, run, settings):
    """The command says what requests would find."""
    origin = mixed_server.origin
    settings.OAUTH_JWT = {"ISSUER": origin, "JWKS_URI": f"{origin}/jwks", "INTROSPECTION": INTROSPECTION}
    mixed_server.document = {**ALL, "issuer": origin, "introspection_endpoint": f"{origin}/found"}
    assert (
        f"Introspection: {origin}/found about opaque tokens, by client_secret_basic, for JSON" in run("oauth_jwks")[0]
    )


def test_an_endpoint_that_is_not_found_is_a_problem(mixed_server, run, settings):
    """The keys are fine, and still opaque tokens cannot be checked."""
    origin = mixed_server.origin
    settings.OAUTH_JWT = {"ISSUER": origin, "JWKS_URI": f"{origin}/jwks", "INTROSPECTION": INTROSPECTION}
    output, status = run("oauth_jwks")
    assert "Introspection: no metadata found for the issuer" in output
    assert status == 1
