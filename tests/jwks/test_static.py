"""Keys without a network: in the settings, and in a file that is read again when it has changed."""

import asyncio
import errno
import json
import os
import time
from pathlib import Path

import pytest
from django.test import Client

from django_oauth_jwt.errors import InvalidToken, KeysUnavailable
from django_oauth_jwt.jwks import get_jwks_service
from django_oauth_jwt.jwks.static import FileKeys
from django_oauth_jwt.testing import SigningKey, TokenIssuer
from django_oauth_jwt.verification import averify_token, verify_token

from ..fixtures.forks import in_child

ISSUER = "https://as.example.com"


@pytest.fixture
def own_issuer():
    return TokenIssuer(ISSUER, alg="ES256")


@pytest.fixture
def write(tmp_path):
    """Write a JWKS in one step, as whoever rotates keys should, and return its path."""
    path, new = tmp_path / "jwks.json", tmp_path / "new.json"

    def write(*keys):
        new.write_text(json.dumps({"keys": [key.public_jwk() for key in keys]}))
        new.replace(path)
        return path

    return write


class Times:
    """A clock of Unix time and one that nobody changes, moved together."""

    def __init__(self):
        self.now = 0.0

    def clock(self):
        return time.time() + 3600 + self.now  # so long after the file was written, it is settled

    def monotonic(self):
        return self.now


@pytest.fixture
def times():
    return Times()


@pytest.fixture
def file_keys(write, signing_key, times):
    """The service of a file with one key."""
    path = write(signing_key("ES256", "old"))
    return FileKeys(path, ISSUER, stale_seconds=100, clock=times.clock, monotonic=times.monotonic)


@pytest.fixture
def reads(monkeypatch):
    """Count how often a file of keys is read."""
    from django_oauth_jwt.jwks import static  # noqa: PLC0415  # the module, whose function is replaced

    read, paths = static.read_key_file, []

    def count(path, known=None):
        paths.append(path)
        return read(path, known)

    monkeypatch.setattr(static, "read_key_file", count)
    return paths


def kids(service):
    return [key.kid for key in service.current() or ()]


@pytest.mark.parametrize("place", ["settings", "file"])
def test_a_token_is_verified_without_a_network(settings, own_issuer, write, place):
    """Sync and async, with the keys of the project; another key's token is refused, and no key is waited for."""
    settings.OAUTH_JWT = {
        "ISSUER": ISSUER,
        "JWKS": own_issuer.jwks() if place == "settings" else write(*own_issuer.keys),
    }
    for _ in range(2):
        assert verify_token(own_issuer.token(sub="anna")).subject == "anna"
        assert asyncio.run(averify_token(own_issuer.token(sub="ben"))).subject == "ben"
        with pytest.raises(InvalidToken, match="signature"):
            verify_token(own_issuer.token(forged=True))
        with pytest.raises(InvalidToken, match="unknown key"):
            verify_token(own_issuer.token(rotated=True))


def test_each_issuer_has_its_own_keys(settings, own_issuer, write):
    """A key of one issuer signs for no other, wherever the keys are."""
    other = TokenIssuer("https://other.example.com", alg="ES256")
    settings.OAUTH_JWT = {
        "ISSUERS": {ISSUER: {"JWKS": own_issuer.jwks()}, other.issuer: {"JWKS": str(write(*other.keys))}}
    }
    for issuer, foreign in ((own_issuer, other), (other, own_issuer)):
        assert verify_token(issuer.token()).issuer == issuer.issuer
        with pytest.raises(InvalidToken, match="signature"):
            verify_token(foreign.token(iss=issuer.issuer))
        assert get_jwks_service(issuer.issuer).issuer == issuer.issuer


@pytest.mark.urls("tests.servers.fleet_urls")
def test_a_rotation_takes_effect_at_the_next_request(settings, own_issuer, write):
    """The file is replaced, and nothing else is done: new tokens are accepted, old ones refused, remembered or not."""
    settings.OAUTH_JWT = {"ISSUER": ISSUER, "JWKS": write(*own_issuer.keys)}

    def status_of(token):
        return Client().get("/secured", headers={"Authorization": f"Bearer {token}"}).status_code

    old = own_issuer.token()
    assert [status_of(old), status_of(old)] == [200, 200]
    own_issuer.rotate(keep_old=False)
    new = own_issuer.token()
    assert status_of(new) == 403
    write(*own_issuer.keys)
    assert [status_of(new), status_of(old)] == [200, 403]


def test_a_file_that_has_not_changed_is_not_read_again(file_keys, reads):
    """A request pays for a look at the file's time."""
    assert kids(file_keys) == kids(file_keys) == ["old"]
    assert len(reads) == 1


def test_a_file_of_just_now_is_read_again(write, signing_key, reads):
    """The time of a file has a coarse grain: within it a second change would leave the same time."""
    service = FileKeys(write(signing_key("ES256", "old")), ISSUER)
    first = service.current()
    assert service.current() is first
    assert len(reads) == 2


def test_a_file_of_just_now_with_an_old_time_is_read_again(write, signing_key, reads):
    """As an archive unpacks it: when it was put there has a coarse grain, too."""
    service = FileKeys(write(signing_key("ES256", "old")), ISSUER)
    os.utime(service.path, (1, 1))
    first = service.current()
    assert service.current() is first
    assert len(reads) == 2


def test_a_touched_file_keeps_its_keys(file_keys, reads):
    """The same content is the same key set, so remembered tokens stay remembered."""
    first = file_keys.current()
    os.utime(file_keys.path, (1, 1))
    assert file_keys.current() is first
    assert len(reads) == 2


def test_a_changed_file_with_the_old_time_is_read(file_keys, write, signing_key):
    """As an archive unpacks it: what it is and when it was put there tell it from the one before."""
    kids(file_keys)
    stat = file_keys.path.stat()
    write(signing_key("ES256", "new"))
    os.utime(file_keys.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert kids(file_keys) == ["new"]


def gone(path):
    path.unlink()


def half_written(path):
    path.write_text('{"keys": [')


def secret(path):
    path.write_text('{"keys": [{"kty": "oct", "k": "AA"}]}')


@pytest.mark.parametrize("harm", [gone, half_written, secret])
def test_a_file_of_no_use_leaves_the_keys_from_before_for_a_while(file_keys, times, harm, log, write, signing_key):
    """JWKS_STALE_SECONDS, as where an authorization server is down; one line in the log says what is wrong."""
    file_keys.current()
    harm(file_keys.path)
    times.now = 10
    assert [kids(file_keys), kids(file_keys)] == [["old"], ["old"]]
    assert file_keys.problem
    (line,) = log()
    assert line.startswith(f"JWKS: the file {file_keys.path} ")
    assert line.endswith("; the keys from before are used for 100 seconds")
    times.now = 109.9
    assert kids(file_keys) == ["old"]
    times.now = 110
    assert file_keys.current() is None
    with pytest.raises(KeysUnavailable):
        file_keys.key_set_for("old", "ES256")
    write(signing_key("ES256", "new"))
    assert kids(file_keys) == ["new"]
    assert file_keys.problem == ""
    assert len(log()) == 1


@pytest.mark.parametrize("has_keys", [True, False], ids=["keys from before", "none"])
def test_a_file_that_cannot_be_read_for_a_moment_is_tried_again(file_keys, write, signing_key, monkeypatch, has_keys):
    """It need not change for that: too many open files are no fault of its."""
    if has_keys:
        file_keys.current()
        write(signing_key("ES256", "new"))

    def refuse(path, mode):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        assert kids(file_keys) == (["old"] if has_keys else [])
        assert "cannot be read (Too many open files)" in file_keys.problem
    assert kids(file_keys) == (["new"] if has_keys else ["old"])
    assert file_keys.problem == ""


def test_a_second_fault_does_not_make_the_keys_good_for_longer(file_keys, times, log):
    """The time counts from when the file was first found to be of no use."""
    file_keys.current()
    half_written(file_keys.path)
    file_keys.current()
    times.now = 60
    gone(file_keys.path)
    file_keys.current()
    assert len(log()) == 2
    times.now = 100
    assert file_keys.current() is None


@pytest.mark.urls("tests.servers.fleet_urls")
def test_a_file_that_goes_before_its_first_use_is_no_500(settings, own_issuer, write):
    """The settings have seen it, and the answer is 503 until it is there again."""
    path = write(*own_issuer.keys)
    settings.OAUTH_JWT = {"ISSUER": ISSUER, "JWKS": path}
    service = get_jwks_service()
    path.unlink()
    response = Client().get("/secured", headers=own_issuer.headers())
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert service.current() is None
    write(*own_issuer.keys)
    assert Client().get("/secured", headers=own_issuer.headers()).status_code == 200


def test_a_child_process_reads_the_file_too(file_keys, write, signing_key):
    """After a fork each process looks for itself."""
    file_keys.current()

    def rotated():
        write(signing_key("ES256", "new"))
        return kids(file_keys) == ["new"]

    assert in_child(rotated)
    assert kids(file_keys) == ["new"]


def test_a_private_key_in_a_file_never_becomes_a_key(tmp_path):
    """Not even where it is the only thing there."""
    key = SigningKey.generate("ES256")
    path = tmp_path / "keys.pem"
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(KeysUnavailable):
        FileKeys(path).key_set_for(key.kid, "ES256")
