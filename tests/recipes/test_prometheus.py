"""django-prometheus: why tokens were rejected, scraped beside its own metrics."""

import pytest
from django.http import HttpResponse
from prometheus_client import REGISTRY

from django_oauth_jwt.signals import token_accepted, token_rejected

from .pages import as_module

pytestmark = pytest.mark.recipes


@pytest.fixture
def metrics(monkeypatch):
    """The page's module of metrics, whose counters and receivers are gone when the test ends."""
    module = as_module(monkeypatch, "prometheus.md", "prometheus")
    yield module
    token_accepted.disconnect(module.count_accepted)
    token_rejected.disconnect(module.count_rejected)
    for counter in (module.ACCEPTED, module.REJECTED):
        REGISTRY.unregister(counter)


@pytest.fixture
def scrape(metrics, configure, trust, urls, client):
    """Read the metrics as the scraper does, without a token; return them by name and labels."""
    trust(SCOPE="books.read")
    configure("prometheus.md", "prometheus-settings")
    urls(books=lambda request: HttpResponse("ok"))

    def scrape():
        response = client.get("/metrics")
        assert response.status_code == 200
        lines = [line for line in response.content.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    return scrape


def test_tokens_are_counted_by_reason(scrape, rsa_issuer, send):
    """Those that were accepted, too; a request without a token is neither, but a 401 of django-prometheus."""
    before = scrape()
    for headers in (
        *(rsa_issuer.headers("books.read") for _ in range(3)),
        *(rsa_issuer.headers("books.read", expired=True) for _ in range(2)),
        rsa_issuer.headers("other"),
        None,
    ):
        send("get", "/books/", headers=headers)
    after = scrape()
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown["oauth_jwt_accepted_total"] == 4  # a token without the scope is a good one
    assert grown['oauth_jwt_rejected_total{reason="expired"}'] == 2
    assert grown['oauth_jwt_rejected_total{reason="insufficient_scope"}'] == 1
    assert sum(value for name, value in grown.items() if name.startswith("oauth_jwt_rejected_total")) == 3
    by_status = "django_http_responses_total_by_status_total"
    assert [grown[f'{by_status}{{status="{status}"}}'] for status in (401, 403)] == [1, 3]


def test_what_a_client_makes_up_is_no_label(scrape, rsa_issuer, send):
    """No series can be made by sending rubbish."""
    for token in ("rubbish", "a.b.c", "e30.e30.x", "x" * 20_000, rsa_issuer.token(iss="https://made.up", kid="x")):
        send("get", "/books/", headers={"Authorization": f"Bearer {token}"})
    reasons = {name for name in scrape() if name.startswith("oauth_jwt_rejected_total")}
    assert reasons <= {
        f'oauth_jwt_rejected_total{{reason="{reason}"}}' for reason in ("malformed", "too_long", "wrong_issuer")
    }
    assert reasons
