"""Sentry's SDK with its default integrations: whose request failed, and no token in what it sends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import django_oauth_jwt

from .sentry_project import REQUESTS

pytestmark = pytest.mark.recipes

#: By name: as the SDK comes, and as it sends the most: no scrubber goes over the variables then.
OPTIONS = {"default": {}, "all data": {"data_collection": {}}}


@pytest.fixture(scope="module")
def made_with():
    """The requests of the project in `sentry_project.py`, with the events of each, by the name of the options."""
    command = [sys.executable, "-W", "error", "-m", "tests.recipes.sentry_project", json.dumps(OPTIONS)]
    roots = (Path(django_oauth_jwt.__file__).parents[1], Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(params=OPTIONS)
def made(request, made_with):
    """Those of one kind of options."""
    return made_with[request.param][1:]


@pytest.fixture(params=OPTIONS)
def connection(request, made_with):
    """The WebSocket that was opened before them."""
    return made_with[request.param][0]


def shows(text, token):
    """Tell whether any twelve characters of the payload or of the signature can be read."""
    return any(part[at : at + 12] in text for part in token.split(".")[1:] for at in range(len(part) - 11))


def test_each_mistake_is_an_event_and_a_refusal_is_none(made):
    """Over WSGI and ASGI: of five views that fail and one that logs an error; beside each, its transaction."""
    assert len(made) == 2 * len(REQUESTS)
    for request in made:
        kinds = [event.get("type", "error") for event in request["events"]]
        refused = request["url"].endswith("verify")
        assert request["status"] == (403 if refused else 200 if request["url"].endswith("log") else 500)
        assert kinds == (["transaction"] if refused else ["error", "transaction"])


def test_no_event_shows_a_token(made):
    """Neither the request's headers nor the variables of any frame, message or breadcrumb."""
    for request in made:
        assert not request["token"] or not shows(json.dumps(request["events"]), request["token"]), request["url"]


def test_there_is_something_to_find_a_token_in(made):
    """The headers and the variables of the frames are sent."""
    (event,) = [event for event in made[0]["events"] if "exception" in event]
    assert event["request"]["headers"]["Authorization"] == "[Filtered]"
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert any("<AccessToken of 'anna'" in json.dumps(frame["vars"]) for frame in frames)


def test_an_event_tells_whose_request_it_was(made):
    """And says nobody where nobody was, whoever came before."""
    for request in made:
        for event in request["events"]:
            user = {name: event.get("user", {}).get(name) for name in ("id", "client")}
            expected = {"id": "anna", "client": "client-1"} if REQUESTS[request["url"]] == "anna" else None
            assert user == (expected or {"id": None, "client": None}), request["url"]


def test_a_websocket_has_a_user_of_its_own_and_shows_no_token(connection):
    """The user is nobody else's then (as the test before says), and the token of the subprotocol is in no event."""
    errors = [event for event in connection["events"] if "exception" in event]
    assert [event["user"]["id"] for event in errors] == ["ben"]
    assert "<AccessToken of 'ben'" in json.dumps(errors)
    assert not shows(json.dumps(connection["events"]), connection["token"])
