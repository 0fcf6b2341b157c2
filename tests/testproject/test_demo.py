"""`manage.py demo` shows the right thing, says so when it is not, and ends as it should."""

import re
import shlex
import socket
from io import StringIO
from itertools import pairwise

import pytest
import requests
from django.core.management import CommandError, call_command

from testproject.demo import mcp_tour, ninja_tour, tour
from testproject.management.commands import demo
from testproject.settings import INTROSPECTION

#: Mark, what is sent, path, expected status, status, fetches, introspections.
ROW = re.compile(r"(ok|WRONG) +(\S.*?) {2,}(/\S+) +(\d+) +(\d+) +(\d+) +(\d+)")

EXPECTED_ROWS = [
    ("no token, open view", "/open", 200, 0),
    ("no token", "/secured/token", 401, 0),
    ("forged token (the first: keys fetched)", "/secured/token", 403, 1),
    ("expired token", "/secured/token", 403, 0),
    ("valid token", "/secured/token", 200, 0),
    ("token without the scope", "/secured/scope", 403, 0),
    ("token with the scope", "/secured/scope", 200, 0),
    ("token with another claim value", "/secured/claim", 403, 0),
    ("token with the claim value", "/secured/claim", 200, 0),
    ("no token", "/api/token", 401, 0),
    ("expired token", "/api/token", 403, 0),
    ("valid token", "/api/token", 200, 0),
    ("token without the scope", "/api/scope", 403, 0),
    ("token with the scope", "/api/scope", 200, 0),
    ("token with another claim value", "/api/claim", 403, 0),
    ("token with the claim value", "/api/claim", 200, 0),
    ("no token", "/secured/async", 401, 0),
    ("valid token", "/secured/async", 200, 0),
    ("token of the old key", "/secured/token", 200, 0),
    ("token of the new key", "/secured/token", 200, 1),
    ("token of the new key, again", "/api/token", 200, 0),
    ("token of a made-up key", "/secured/token", 403, 0),
    ("opaque token", "/secured/scope", 200, 0, 1),
    ("the same again, remembered", "/api/scope", 200, 0),
    ("the same, revoked, but still remembered", "/secured/scope", 200, 0),
    ("opaque token without the scope", "/secured/scope", 403, 0, 1),
    ("opaque token, revoked before it was used", "/secured/token", 403, 0, 1),
    ("the same again, remembered", "/api/token", 403, 0),
    ("made-up token", "/secured/async", 403, 0, 1),
    ("bound token with its proof", "/secured/token", 200, 0),
    ("the same proof again", "/secured/token", 401, 0),
    ("bound token without a proof", "/secured/token", 401, 0),
    ("bound token with a proof by another key", "/secured/token", 401, 0),
    ("bound token sent as Bearer", "/secured/token", 401, 0),
    ("bound token with its proof", "/api/token", 200, 0),
    ("no token", "/ninja/token", 401, 0),
    ("valid token", "/ninja/token", 200, 0),
    ("token without the scope", "/ninja/scope", 403, 0),
    ("token with the scope", "/ninja/scope", 200, 0),
    ("token with another claim value", "/ninja/claim", 403, 0),
    ("token with the claim value", "/ninja/claim", 200, 0),
    ("no token", "/mcp", 401, 0),
    ("the resource metadata that it points to", "/.well-known/oauth-protected-resource/mcp", 200, 0),
    ("token for this resource and scope", "/mcp", 200, 0),
    ("the same, for a tool of another scope", "/mcp", 403, 0),
    ("token for both scopes", "/mcp", 200, 0),
]


def run_once(port=0, **options):
    output = StringIO()
    call_command("demo", once=True, port=port, stdout=output, **options)
    return output.getvalue()


def test_the_tour_shows_each_request_with_its_answer():
    """What README promises of the demo: every kind of answer, and when the authorization server is asked."""
    output = run_once(no_color=True)
    rows = [match.groups() for match in map(ROW.match, output.splitlines()) if match]
    assert rows == [
        ("ok", what, path, str(status), str(status), str(fetches), *(map(str, introspections or [0])))
        for what, path, status, fetches, *introspections in EXPECTED_ROWS
    ]
    assert "46 of 46 answers are as expected." in output
    for challenge in (tour.NO_TOKEN.challenge, tour.NO_SCOPE.challenge, tour.NO_CLAIM.challenge):
        assert f"      {challenge}\n" in output


def test_the_table_is_plain_text_that_fits_a_terminal():
    """It can be read in a log, or pasted into an issue."""
    table, summary, _ = run_once(no_color=True).partition("are as expected.")
    assert summary
    assert table.isascii()
    assert "\x1b" not in table
    assert max(map(len, table.splitlines())) <= 120


def test_the_commands_show_the_keys_and_a_tokens_three_faults():
    """Whoever has seen the demo knows what to run when a token is refused."""
    _, _, shown = run_once(no_color=True).partition("are as expected.")
    keys, _, token = shown.partition("manage.py explain_token")
    assert re.search(r"'key-1' +EC +P-256 +ES256", keys)
    assert "The token is refused: bad_signature, malformed_claim, expired." in token


WITHOUT = """
import runpy, sys
sys.modules[{package!r}] = None
sys.argv = ["manage.py", "demo", "--once", "--port", "0"]
runpy.run_path("manage.py", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("package", "left_out", "summary"),
    [("mcp", mcp_tour.LEFT_OUT, "41 of 41"), ("ninja", ninja_tour.LEFT_OUT, "40 of 40")],
)
def test_without_a_package_the_rest_is_shown(started, package, left_out, summary):
    """Each is for a small part of the tour, which says what is missing and how to get it."""
    with started("-c", WITHOUT.format(package=package)) as process:
        output = process.stdout.read()
        assert process.wait() == 0, output
    assert left_out in output
    assert summary in output


def test_a_terminal_gets_colours():
    """Right and wrong are seen at a glance."""
    assert "\x1b[" in run_once(force_color=True)


@pytest.mark.parametrize(
    ("sabotage", "complaint"),
    [
        ({"INVALID_TOKEN_STATUS": 401}, "WRONG expired token"),
        ({"REALM": "elsewhere"}, "expected: Bearer\n"),
        ({"JWKS_COOLDOWN_SECONDS": 0}, "expected: 0 JWKS fetches"),
        ({"INTROSPECTION": {**INTROSPECTION, "CACHE_SECONDS": 0}, "TOKEN_CACHE_SIZE": 0}, "expected: 0 introspections"),
    ],
    ids=["status", "challenge", "fetches", "introspections"],
)
def test_a_wrong_answer_is_shown_and_ends_with_exit_1(settings, capsys, sabotage, complaint):
    """A demo in CI is a test: neither status, challenge nor what the authorization server is asked may differ."""
    settings.OAUTH_JWT = {**settings.OAUTH_JWT, **sabotage}
    with pytest.raises(SystemExit) as end:
        demo.Command().run_from_argv(["manage.py", "demo", "--once", "--port", "0", "--no-color"])
    output = capsys.readouterr()
    assert end.value.code == 1
    assert complaint in output.out
    assert re.search(r"CommandError: \d+ of 46 answers are as expected\.", output.err)


def test_views_that_are_not_secured_are_wrong_answers(settings):
    """An open door is the worst of wrong answers."""
    settings.ROOT_URLCONF = "tests.testproject.unsecured_urls"
    output = StringIO()
    with pytest.raises(CommandError, match="26 of 46"):
        call_command("demo", once=True, port=0, stdout=output, no_color=True)
    assert "expected: Bearer" in output.getvalue()


def test_a_taken_port_costs_a_note_and_nothing_else():
    """It must run on any machine, whatever else runs there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        output = run_once(port=port, no_color=True)
    assert re.search(rf"Port {port} is not to be had \(.+\), so \d+ is taken instead\.", output)
    assert "46 of 46" in output


@pytest.mark.parametrize("port", ["65535", "-1", "http"])
def test_an_impossible_port_is_refused(port):
    """The authorization server needs the next one, and there is none after the last."""
    with pytest.raises(CommandError, match="is not a number from 0 to 65534"):
        call_command("demo", "--once", "--port", port)


def test_a_proxy_in_the_environment_is_left_out(monkeypatch):
    """Loopback is not behind anybody's proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert "46 of 46" in run_once()


def test_the_settings_are_what_they_were_when_it_has_ended(settings):
    """A command must not change the process that called it."""
    before = settings.OAUTH_JWT
    run_once()
    assert settings.OAUTH_JWT is before


def test_ctrl_c_in_the_tour_ends_it_without_an_error(monkeypatch):
    """Who has seen enough need not wait for the end."""

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "visit", interrupt)
    assert run_once(no_color=True).endswith("Stopped.\n")


def curl(line):
    """Do what curl does with one of the demo's lines."""
    words = shlex.split(line)
    options = dict(pairwise(words))
    headers = dict([options["-H"].split(": ", 1)]) if "-H" in options else {}
    if "-d" in options:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    method = "POST" if {"-d", "-X"} & options.keys() else "GET"
    return requests.request(method, words[-1], headers=headers, data=options.get("-d"), timeout=30)


def test_it_serves_what_the_curl_lines_say_until_it_is_stopped(started, way_to_stop):
    """Each line can be pasted as it stands and answers as its comment says; the page has resource metadata to show.

    Stopping is no error.
    """
    number, options = way_to_stop
    with started("manage.py", "demo", "--port", "0", **options) as process:
        lines = iter(process.stdout.readline, "")
        said, statuses = "", []
        for line in lines:
            if line.startswith("# "):
                said = line
            elif line.startswith("curl "):
                status = curl(line).status_code
                statuses.append(status)
                assert said.rstrip().endswith(f": {status}"), line
            elif line.startswith("Open "):
                origin = line.split()[1].rstrip("/")
            elif line.startswith("Serving"):
                break
        assert statuses == [401, 403, 200, 200, 200, 200, 200, 200, 200, 200]
        metadata = requests.get(f"{origin}/.well-known/oauth-protected-resource", timeout=30)
        assert metadata.json()["resource"] == origin
        process.send_signal(number)
        rest = "".join(lines)
        assert process.wait() == 0
    assert rest.endswith("\nStopped.\n")
    assert "Traceback" not in rest
