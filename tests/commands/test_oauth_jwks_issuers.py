"""`manage.py oauth_jwks` of many issuers, of one, of keys without a network, and as a check."""

import json

import pytest
from django.core.management import CommandError

from django_oauth_jwt.errors import KeysUnavailable
from django_oauth_jwt.jwks import get_jwks_service
from django_oauth_jwt.testing import TokenIssuer

from ..diagnosis.resolvers import RESOLVER, TENANT, USELESS, WRONG

KEYS = TokenIssuer(alg="ES256").jwks()
ONE, OTHER = "https://one.test", "https://other.test"
ROW = "  ok 'key-1'  EC   P-256  ES256       sig"
HEADINGS = "     name     kty  size   algorithms  use  problem"


def refuse(iss):
    raise KeysUnavailable(77)


@pytest.fixture
def key_file(tmp_path):
    """A file with one key."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(KEYS))
    return path


def many(number, **more):
    """Return settings with so many issuers."""
    return {"ISSUERS": {f"https://{place}.test": {"JWKS": KEYS} for place in range(number)}, **more}


def test_keys_in_the_settings_are_shown(run, settings):
    """Where they are, and no time: nobody fetched them."""
    settings.OAUTH_JWT = {"ISSUER": ONE, "JWKS": KEYS}
    assert run("oauth_jwks") == (f'Issuer: "{ONE}"\nSource: the setting JWKS\n{HEADINGS}\n{ROW}\n', 0)
    (report,) = json.loads(run("oauth_jwks", "--json")[0])
    assert (report["origin"], report["source"], report["fetched_at"]) == ("setting", "the setting JWKS", None)


def test_keys_in_a_file_are_shown_with_its_path(run, settings, key_file):
    """And what is wrong with it, while the keys from before are in use."""
    settings.OAUTH_JWT = {"ISSUER": ONE, "JWKS": str(key_file)}
    whole = f'Issuer: "{ONE}"\nSource: {key_file}, a file\n{HEADINGS}\n{ROW}\n'
    assert run("oauth_jwks") == (whole, 0)
    key_file.write_text("broken")
    output, status = run("oauth_jwks")
    assert output.startswith(f"{whole}The refresh failed: the file {key_file} has neither PEM nor")
    assert status == 1
    (report,) = json.loads(run("oauth_jwks", "--json")[0])
    assert (report["origin"], report["source"], len(report["keys"])) == ("file", str(key_file), 1)


def test_a_file_whose_keys_are_stale_has_none(run, settings, key_file, monkeypatch):
    """The reason is the file's."""
    settings.OAUTH_JWT = {"ISSUER": ONE, "JWKS": key_file}
    assert run("oauth_jwks")[1] == 0
    key_file.unlink()
    get_jwks_service().current()
    monkeypatch.setattr(get_jwks_service(), "_stale_seconds", 0)
    output, status = run("oauth_jwks")
    assert f"There are no usable keys: the file {key_file} is not there" in output
    assert status == 1


@pytest.mark.parametrize("number", [10, 11])
def test_of_more_than_ten_issuers_each_has_a_line(run, settings, number):
    """A report of hundreds would be read by nobody; the last line says how to get the whole of one."""
    settings.OAUTH_JWT = many(number)
    output, status = run("oauth_jwks")
    assert status == 0
    if number == 10:
        assert output.count("Issuer: ") == 10
        return
    assert output.splitlines() == [
        *(f'  ok "https://{place}.test"   1 key  the setting JWKS' for place in range(10)),
        '  ok "https://10.test"  1 key  the setting JWKS',
        "All of one issuer: python manage.py oauth_jwks --issuer ...",
    ]


def test_json_is_whole_however_many_there_are(run, settings):
    """Programs do not mind."""
    settings.OAUTH_JWT = many(30)
    reports = json.loads(run("oauth_jwks", "--json")[0])
    assert [len(report["keys"]) for report in reports] == [1] * 30


@pytest.fixture
def mixed(jwks_server, settings):
    """Issuers with keys, without, and one that cannot be asked about opaque tokens."""
    jwks_server.document = KEYS
    settings.OAUTH_JWT = {
        "ISSUERS": {
            ONE: {"JWKS_URI": f"{jwks_server.origin}/jwks"},
            OTHER: {"JWKS": {"keys": [*KEYS["keys"], {**KEYS["keys"][0], "kid": "2"}]}},
            jwks_server.origin: {"JWKS": KEYS, "INTROSPECTION": {"CLIENT_ID": "a", "CLIENT_SECRET": "b"}},
        }
    }
    return jwks_server


def test_a_check_is_a_plain_line_for_each_issuer(run, mixed, terminal):
    """For probes and deployments: no colours on a terminal either, exit status 1 where anything is wrong."""
    output, status = run("oauth_jwks", "--check", stdout=terminal, force_color=True)
    one, other, third = output.splitlines()
    assert one.startswith(f'  ok "{ONE}"        1 key   {mixed.origin}/jwks, fetched in 0.')
    assert other == f'  ok "{OTHER}"      2 keys  the setting JWKS'
    assert third.startswith(f'  no "{mixed.origin}"  1 key   introspection: no metadata found for the issuer')
    assert status == 1


@pytest.mark.parametrize("arguments", [[], ["--check"], ["--json"], ["--refresh"]])
@pytest.mark.parametrize("document", [KEYS, {}], ids=["keys", "no keys"])
def test_no_query_is_shown(run, jwks_server, settings, arguments, document):
    """As in the log: it may be the key by which the JWKS is had, and deployments keep what a check prints."""
    jwks_server.document = document
    settings.OAUTH_JWT = {"ISSUER": ONE, "JWKS_URI": f"{jwks_server.origin}/jwks?apikey=hidden"}
    for _ in range(2):  # fetched, and from the cache
        output, _ = run("oauth_jwks", *arguments)
        assert ONE in output
        assert "hidden" not in output


@pytest.mark.parametrize(
    ("current", "problem"),
    [(lambda: 1 / 0, "failed: ZeroDivisionError: division by zero"), (lambda: KEYS, "has a dict, which is no KeySet")],
)
def test_a_key_service_that_fails_does_not_hide_the_others(run, settings, current, problem):
    """A service of the project's own may raise anything: it has a line of its own."""
    service = TokenIssuer(ONE, alg="ES256")
    service.current = current
    settings.OAUTH_JWT = {"ISSUERS": {ONE: {"JWKS_SERVICE": service}, OTHER: {"JWKS": KEYS}}}
    output, status = run("oauth_jwks", "--check")
    assert output == (f'  no "{ONE}"    0 keys  the key service {problem}\n  ok "{OTHER}"  1 key   the setting JWKS\n')
    assert status == 1


def test_a_check_of_good_keys_is_exit_status_0(run, mixed):
    """Of one issuer alone, too."""
    output, status = run("oauth_jwks", "--check", "--issuer", OTHER)
    assert (output, status) == (f'  ok "{OTHER}"  2 keys  the setting JWKS\n', 0)


def test_a_check_says_why_there_are_no_keys(run, mixed):
    """Of each of the first few keys, in one line, whatever the server sends."""
    mixed.document = {"keys": [{**KEYS["keys"][0], "use": "enc", "kid": "\x1b[2J\n"}]}
    name = r"'\x1b[2J\n'"
    output, status = run("oauth_jwks", "--check", "--issuer", ONE)
    assert output.startswith(f'  no "{ONE}"  0 keys  no usable key in the JWKS: {name} use is not sig; next try at ')
    assert output.count("\n") == 1
    assert "\x1b" not in output
    assert status == 1


def test_a_check_with_json_is_json(run, settings):
    """The exit status is the same."""
    settings.OAUTH_JWT = many(1)
    assert len(json.loads(run("oauth_jwks", "--check", "--json")[0])) == 1


def test_one_issuer_is_shown_whole(run, settings):
    """However many there are."""
    settings.OAUTH_JWT = many(30)
    output, status = run("oauth_jwks", "--issuer", "https://7.test")
    assert output == f'Issuer: "https://7.test"\nSource: the setting JWKS\n{HEADINGS}\n{ROW}\n'
    assert status == 0


def test_where_any_issuer_is_trusted_each_has_the_same_keys(run, settings):
    """Without ISSUER."""
    settings.OAUTH_JWT = {"JWKS": KEYS}
    assert run("oauth_jwks", "--issuer", ONE)[0].startswith("Issuer: any\n")


def test_an_issuer_that_only_the_resolver_knows_is_shown(run, settings):
    """And without its name the command says that there may be some."""
    settings.OAUTH_JWT = {"ISSUER_RESOLVER": RESOLVER, "ISSUER": ONE, "JWKS": KEYS}
    output, status = run("oauth_jwks", "--issuer", TENANT)
    assert (output.splitlines()[0], status) == (f'Issuer: "{TENANT}"', 0)
    output, status = run("oauth_jwks")
    assert output.startswith(f'Issuer: "{ONE}"\n')
    assert output.endswith(f"{ROW}\nISSUER_RESOLVER may know others: python manage.py oauth_jwks --issuer ...\n")


def test_where_the_resolver_alone_knows_issuers_there_is_nothing_to_check(run, settings):
    """Nothing is wrong with that."""
    settings.OAUTH_JWT = {"ISSUER_RESOLVER": RESOLVER}
    assert run("oauth_jwks", "--check") == ("", 0)
    assert run("oauth_jwks", "--json") == ("[]\n", 0)


@pytest.mark.parametrize(
    ("oauth_jwt", "name", "words"),
    [
        (many(2), "x", "'x' is not trusted. The settings list 'https://0.test', 'https://1.test'."),
        (many(12), "https://0.test/", "'https://9.test', 2 more."),
        ({"ISSUER_RESOLVER": RESOLVER}, ONE, "The settings list none, and ISSUER_RESOLVER does not know it."),
        ({"ISSUER_RESOLVER": refuse}, ONE, f"ISSUER_RESOLVER refuses requests for {ONE!r}: keys_unavailable (The keys"),
        ({"ISSUER_RESOLVER": RESOLVER}, USELESS, "ISSUER_RESOLVER cannot say whether 'https://useless.test' is"),
        ({"ISSUER_RESOLVER": RESOLVER}, WRONG, "trusted: the ERROR in the log says why."),
    ],
)
def test_an_issuer_that_is_not_trusted_is_an_error_that_says_so(run, settings, oauth_jwt, name, words):
    """A slash too many is seen at once."""
    settings.OAUTH_JWT = oauth_jwt
    with pytest.raises(CommandError) as error:
        run("oauth_jwks", "--issuer", name)
    assert words in str(error.value)
