"""Celery with a real worker: what a task is given, what comes back, and where a token could be read."""

import logging
import pickle
import time

import pytest
from celery import Celery, shared_task
from celery.contrib.testing.worker import start_worker
from cryptography import fernet
from cryptography.fernet import Fernet
from kombu.exceptions import EncodeError

from django_oauth_jwt.errors import (
    BearerError,
    InsufficientScope,
    IntrospectionUnavailable,
    InvalidToken,
    KeysUnavailable,
    MissingClaims,
    RevocationCheckUnavailable,
)
from django_oauth_jwt.testing import ProofKey
from django_oauth_jwt.verification import verify_token

from .pages import FOLDER, as_module

pytestmark = pytest.mark.recipes

SECONDS = 10  # for a task that takes milliseconds


class WrongTenant(InvalidToken):
    """A refusal of a project, with an argument of its own."""

    def __init__(self, tenant):
        super().__init__("wrong_tenant", f"Token is for {tenant}")
        self.tenant = tenant


REFUSALS = {
    "expired": lambda: InvalidToken("expired", detail="yesterday"),
    "own": lambda: WrongTenant("a"),
    "scope": lambda: InsufficientScope({"books.write"}, detail="books.write"),
    "claims": lambda: MissingClaims(name for name in ["role"]),
    "keys": lambda: KeysUnavailable(30),
    "bare": lambda: BearerError("unpaid", "The bill is not paid"),
}


@shared_task(throws=(BearerError,))
def refuse(name):
    """Fail with a refusal."""
    error = REFUSALS[name]()
    raise error


@shared_task
def echo(value):
    """Return what was given."""
    return value


@pytest.fixture(scope="module")
def tasks():
    """The page's modules; Celery knows a task by its name, so each is made once."""
    with pytest.MonkeyPatch.context() as patch:
        yield {name: as_module(patch, "celery.md", name) for name in ("celery-claims", "celery-token")}


@pytest.fixture(scope="module")
def app(tasks):
    """A Celery app whose worker runs in a thread of this process; all goes through JSON, as by default, and back."""
    app = Celery("recipes", broker="memory://", backend="cache+memory://")
    app.conf.update(
        result_extended=True,  # arguments are kept beside the result
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_transport_options={"polling_interval": 0.01},
    )
    app.set_current()
    root = logging.getLogger()
    level, handlers = root.level, {*root.handlers}
    with start_worker(app, pool="solo", perform_ping_check=False, loglevel="DEBUG"):
        # The worker has everything logged, and other tests count what is.
        root.setLevel(level)
        for handler in {*root.handlers} - handlers:
            root.removeHandler(handler)
        yield app
        app.control.shutdown()
    app.close()


def result_of(task):
    """Wait for a task, and return what it returns or raise what it raises."""
    return task.get(timeout=SECONDS, interval=0.01)


class Book(logging.Handler):
    """All that is logged, as text."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


@pytest.fixture
def logged():
    """What anybody logs, down to DEBUG."""
    book, root = Book(), logging.getLogger()
    levels = {logger: logger.level for logger in (root, logging.getLogger("celery"))}
    root.addHandler(book)
    for logger in levels:
        logger.setLevel(logging.DEBUG)
    yield book.lines
    root.removeHandler(book)
    for logger, level in levels.items():
        logger.setLevel(level)


def test_claims_are_handed_on(app, tasks, monkeypatch, trust, urls, client):
    """The view answers at once; what the task needs of the claims is an argument like any other."""
    issuer = trust()
    module = tasks["celery-claims"]
    results = []
    monkeypatch.setattr(module, "import_books", Started(module.import_books, results))
    urls(imports=module.imports)
    assert client.post("/imports/").status_code == 401
    assert client.post("/imports/", headers=issuer.headers("books.write", sub="anna")).status_code == 202
    assert result_of(results[0]) == ["anna imports 9780141439587"]


class Started:
    """A task whose results are kept for the test."""

    def __init__(self, task, results):
        self.task, self.results = task, results

    def delay(self, *args):
        self.results.append(self.task.delay(*args))


def test_all_claims_can_be_handed_on(app, trust):
    """Read-only as they are, and nested."""
    claims = {"realm_access": {"roles": ["editor", {"a": None}]}}
    token = verify_token(trust().token(**claims))
    result = result_of(echo.delay(token.claims))
    assert result == token.claims
    assert result["realm_access"] == claims["realm_access"]


@pytest.fixture
def sealed(tasks, settings, trust):
    """The page's module for tokens, and its key."""
    settings.TASK_KEY = Fernet.generate_key()
    trust()
    return tasks["celery-token"]


def shows(text, token):
    """Tell whether any twelve characters of the payload or of the signature can be read."""
    return any(part[at : at + 12] in text for part in token.split(".")[1:] for at in range(len(part) - 11))


def stored(app, task_id):
    """Return all that the result backend has of a task."""
    return repr(app.backend.client.get(app.backend.get_key_for_task(task_id)))


def test_a_sealed_token_is_in_no_log_and_in_no_result(app, sealed, rsa_issuer, logged):
    """Neither in the worker's log nor in what the backend holds, of a task that is done and of one that fails."""
    good, poor = rsa_issuer.token("books.write", sub="anna"), rsa_issuer.token("books.read")
    done = sealed.export_books.delay(sealed.seal(verify_token(good)))
    assert result_of(done) == "anna"
    failed = sealed.export_books.delay(sealed.seal(verify_token(poor)))
    with pytest.raises(PermissionError):
        result_of(failed)
    for token, task in ((good, done), (poor, failed)):
        assert "export_books" in stored(app, task.id)
        assert not shows(stored(app, task.id) + "".join(logged), token)


def test_the_text_of_a_token_would_be_in_both(app, trust, logged):
    """So the test above would see it."""
    token = trust().token()
    result = echo.delay(token)
    result_of(result)
    assert shows(stored(app, result.id), token)
    assert shows("".join(logged), token)


def test_a_sealed_token_is_checked_when_the_task_runs(app, sealed, settings, rsa_issuer, logged):
    """It may have expired in the queue; the result says so, and one line in the log without a traceback."""
    expired = Fernet(settings.TASK_KEY).encrypt(rsa_issuer.token("books.write", expired=True).encode()).decode()
    with pytest.raises(InvalidToken) as caught:
        result_of(sealed.export_books.delay(expired))
    assert caught.value.reason == "expired"
    assert not any("Traceback" in line for line in logged)


def test_a_seal_is_good_for_ten_minutes(sealed, settings, rsa_issuer):
    """What somebody finds later in a backend opens nothing here, and without the key nothing at all."""
    key, text = Fernet(settings.TASK_KEY), rsa_issuer.token().encode()
    now = int(time.time())
    assert sealed.unseal(key.encrypt_at_time(text, now - 590).decode()).encoded.encode() == text
    for seal in (key.encrypt_at_time(text, now - 660), Fernet(Fernet.generate_key()).encrypt(text)):
        with pytest.raises(fernet.InvalidToken):
            sealed.unseal(seal.decode())


def test_a_bound_token_was_proven_by_the_request(sealed, rsa_issuer):
    """A task has no proof to check; it says so, as the page does."""
    token = rsa_issuer.token(bound_to=ProofKey.generate())
    with pytest.raises(InvalidToken, match="not proven"):
        verify_token(token)
    assert "binding_checked=True" in (FOLDER / "celery.md").read_text()
    assert verify_token(token, binding_checked=True).is_bound


@pytest.mark.parametrize("kind", [KeysUnavailable, IntrospectionUnavailable, RevocationCheckUnavailable])
def test_what_is_unavailable_is_tried_again(app, sealed, rsa_issuer, monkeypatch, kind):
    """Each 503 is; a token that is refused is not."""
    seal, tries = sealed.seal(verify_token(rsa_issuer.token("books.write"))), []

    def fail(text):
        tries.append(text)
        raise errors_in_turn[min(len(tries), len(errors_in_turn)) - 1]

    monkeypatch.setattr(sealed, "verify_token", fail)
    errors_in_turn = [kind(), kind(), InvalidToken("expired")]
    with pytest.raises(InvalidToken):
        sealed.export_books.apply([seal]).get()
    assert len(tries) == 3


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_comes_back_from_a_worker(app, name):
    """Class, reason, description and status; a `detail` of its own stays in the worker."""
    error = REFUSALS[name]()
    with pytest.raises(type(error)) as caught:
        result_of(refuse.delay(name))
    assert vars(caught.value) | {"detail": None} == vars(error) | {"detail": None}
    assert caught.value.detail == type(error)(*error.args).detail
    assert (str(caught.value), caught.value.status) == (str(error), error.status)


@pytest.mark.parametrize("name", REFUSALS)
def test_pickle_brings_its_detail_too(name):
    """What a result backend stores and gives back."""
    backend = Celery(backend="cache+memory://", set_as_current=False, result_serializer="pickle").backend
    backend.serializer, backend.accept = "pickle", {"application/x-python-serialize"}
    error = REFUSALS[name]()
    backend.store_result("one", error, "FAILURE")
    came = backend.get_result("one")
    assert (type(came), vars(came), str(came)) == (type(error), vars(error), str(error))


def test_an_access_token_is_no_json(app, trust):
    """So nobody hands one on by accident: neither as an argument nor as a result."""
    access_token = verify_token(trust().token("read"))
    with pytest.raises(EncodeError):
        echo.delay(access_token)


def test_an_access_token_is_a_pickle_with_its_text(trust):
    """To be handled as the token itself, as the page says."""
    access_token = verify_token(trust().token("read"))
    pickled = pickle.dumps(access_token)
    assert pickle.loads(pickled) == access_token
    assert access_token.encoded.encode() in pickled
