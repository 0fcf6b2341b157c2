"""A client of the API that the tests of opaque tokens secure."""

from django.test import Client


def get(token):
    return Client().get("/books/", headers={"Authorization": f"Bearer {token}"})


def get_patiently(token):
    """Ask until there is an answer: on a busy machine the server may take longer than a request waits for it."""
    answers = (get(token) for _ in range(20))
    return next(answer for answer in answers if answer.status_code != 503)
