"""Two first requests of one subject at once, in threads, in a database that both write to; run by other tests."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.test.utils import CaptureQueriesContext

from django_oauth_jwt.contrib.accounts.models import FederatedIdentity

WORKERS = 4


def _people():
    return "people" if "people" in connections else "default"


@pytest.mark.django_db(databases=[*connections], transaction=True)
@pytest.mark.parametrize("username", [None, "email"], ids=["names that tell nothing", "the same name"])
@pytest.mark.parametrize("is_linked", [False, True], ids=["new", "linked"])
def test_two_first_requests_at_once_make_one_user(with_accounts, user_of, username, is_linked):
    """All have seen that there is no identity before any of them makes one."""
    extra = {"company": "Books"} if hasattr(get_user_model(), "company") else {"username": "bert"}
    bert = get_user_model().objects.create(email="bert@example.com", **extra) if is_linked else None
    together = threading.Barrier(WORKERS, timeout=60)

    def link(access_token):
        connections[_people()].close()  # its snapshot is from before
        together.wait()
        return bert

    fields = {"company": "org"} if "company" in extra else {"email": "email"}
    with_accounts(LINK=link, USERNAME=username, FIELDS=fields)

    def first_request(number):
        try:
            return user_of(sub="auth0|1", email="anna@example.com", org="Books", jti=str(number)).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        found = {*pool.map(first_request, range(WORKERS))}
    identity = FederatedIdentity.objects.get()
    assert found == {identity.user_id}
    assert get_user_model().objects.count() == 1


@pytest.mark.django_db(databases=[*connections], transaction=True)
def test_two_changes_at_once_leave_the_user_as_the_last_one_says(with_accounts, user_of):
    """The digest is of the claims that the fields are of."""
    fields = {"email": "email", **({"company": "org"} if hasattr(get_user_model(), "company") else {})}
    with_accounts(FIELDS=fields)
    user_of(sub="1", email="first@example.com", org="Books")
    with CaptureQueriesContext(connections[_people()]) as queries:
        user_of(sub="1", email="second@example.com", org="Books")
    # Where a database can lock a row, no other token changes it between the look at it and the digest.
    locks = connections[_people()].features.has_select_for_update
    assert any("FOR UPDATE" in query["sql"] for query in queries) == locks
    together = threading.Barrier(WORKERS, timeout=60)

    def next_request(number):
        together.wait()
        try:
            user_of(sub="1", email=f"{number}@example.com", org="Books")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(next_request, range(WORKERS)))
    before = get_user_model().objects.get().email
    digest = FederatedIdentity.objects.get().claims_digest
    assert user_of(sub="1", email=before, org="Books").email == before
    assert FederatedIdentity.objects.get().claims_digest == digest
