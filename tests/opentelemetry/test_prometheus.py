"""The figures as a real Prometheus exporter serves them over HTTP; the page of the manual is held to them."""

import re
import sys
from io import StringIO
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

from django_oauth_jwt.contrib.opentelemetry.apps import OpenTelemetryConfig
from django_oauth_jwt.contrib.opentelemetry.names import ERRORS, ISSUERS, OTHER, REASONS

from ..servers.faulty_server import respond_with
from .conftest import APP

PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "observability.md").read_text()
_ROW = re.compile(r"^\| `(oauth_jwt[\w.]+)` \|[^|]*\| `([^`]*)` \| ([^|]*) \|", re.MULTILINE)
#: Each metric in the table of the page: its name, its unit and its attributes.
TABLE = {name: (unit, set(re.findall(r"`([\w.]+)`", attributes))) for name, unit, attributes in _ROW.findall(PAGE)}
QUERIES = re.findall(r"^```promql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
UNITS = {"s": "_seconds", "{token}": ""}


@pytest.fixture
def samples(figures, told, scrape, settings, client, auth_server, frozen_time):
    """What is scraped after a request of each kind."""
    settings.OAUTH_JWT = {
        "ISSUER": auth_server.origin,
        "JWKS_URI": auth_server.uri,
        "INTROSPECTION": auth_server.introspection(),
    }
    issuer = auth_server.issuer

    def ask(*tokens):
        for token in tokens:
            client.get("/view/", headers={"Authorization": f"Bearer {token}"})

    ask(issuer.token("read"))
    told()
    ask(issuer.token("read", expired=True), issuer.opaque_token("read"))
    told()
    with auth_server.behaving(respond_with("503 Service Unavailable")):
        frozen_time.now += 300
        ask(issuer.token("read"))
        told()
        ask("opaque")
        told()
    return [(name, labels, value) for name, labels, value in scrape() if labels.get("oauth_issuer") == issuer.issuer]


def prometheus_names(metric):
    """Return the names under which Prometheus has a metric."""
    name = metric.replace(".", "_") + UNITS[TABLE[metric][0]]
    if "tokens" in metric:
        return {f"{name}_total"}
    return {f"{name}_{part}" for part in ("bucket", "count", "sum")} if "duration" in metric else {name}


def test_all_metrics_of_the_manual_are_scraped_and_no_others(samples):
    """With the labels that the manual names, beside the scope's own."""
    scraped = {}
    for name, labels, _ in samples:
        scraped.setdefault(name, set()).update(label for label in labels if not label.startswith("otel_scope_"))
    expected = {
        name: {each.replace(".", "_") for each in attributes} | ({"le"} if name.endswith("_bucket") else set())
        for metric, (_, attributes) in TABLE.items()
        for name in prometheus_names(metric)
    }
    assert scraped == expected


def test_the_figures_are_those_of_the_requests(samples):
    """Cumulative, as Prometheus wants them; a success has an empty type of error."""
    telling = ("oauth_jwt_reason", "error_type", "oauth_jwt_introspection_active")
    found = {
        (name, *map(labels.get, telling)): value
        for name, labels, value in samples
        if not name.endswith(("_bucket", "_sum"))
    }
    assert found == {
        ("oauth_jwt_tokens_verified_total", None, None, None): 3,
        ("oauth_jwt_tokens_refused_total", "expired", None, None): 1,
        ("oauth_jwt_jwks_fetch_duration_seconds_count", None, "", None): 1,
        ("oauth_jwt_jwks_fetch_duration_seconds_count", None, "503", None): 1,
        ("oauth_jwt_introspection_duration_seconds_count", None, "", "true"): 1,
        ("oauth_jwt_introspection_duration_seconds_count", None, "503", ""): 1,
        ("oauth_jwt_jwks_age_seconds", None, None, None): 300,
    }


@pytest.mark.parametrize("query", QUERIES)
def test_the_alerts_of_the_manual_name_what_is_scraped(samples, query):
    """Metrics and labels, each beside the metric that has it; the brackets match."""
    labels_of = {}
    for name, labels, _ in samples:
        labels_of.setdefault(name, set()).update(labels)
    used = re.findall(r"(oauth_jwt_\w+?(?:_total|_seconds(?:_\w+)?))(?:\{([^}]*)\})?", query)
    assert used
    known = set()
    for name, matchers in used:
        assert set(re.findall(r"(\w+)\s*[=!]", matchers)) <= labels_of[name]
        known |= labels_of[name]
    for grouped in re.findall(r"by \(([^)]*)\)", query):
        assert set(re.split(r",\s*", grouped)) <= known
    assert all(query.count(opening) == query.count(closing) for opening, closing in ("()", "{}", "[]"))


def test_the_manual_names_the_limits():
    """How many issuers, reasons and types of errors are kept."""
    assert f"first {ISSUERS._most:,} issuers" in PAGE
    assert f"{REASONS._most} reasons" in PAGE
    assert f"{ERRORS._most} types of errors" in PAGE
    assert f"`{OTHER}`" in PAGE


SNIPPETS = dict(re.findall(r"^<!-- test:([\w-]+) -->\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def run_snippet(name, **namespace):
    exec(compile(SNIPPETS[name], "observability.md", "exec"), namespace)
    return namespace


@pytest.fixture
def provider(monkeypatch):
    """The providers that a snippet sets, which can be done once in a process."""
    providers = []
    monkeypatch.setattr(metrics, "set_meter_provider", providers.append)
    yield providers
    for provider in providers:
        provider.shutdown()


def test_each_python_block_is_run():
    """None is untested."""
    assert list(SNIPPETS) == ["opentelemetry-app", "opentelemetry-prometheus", "opentelemetry-workers"]
    assert PAGE.count("```python\n") == len(SNIPPETS)


def test_the_app_of_the_manual_is_the_app():
    """It has the name that is to be listed."""
    assert run_snippet("opentelemetry-app", INSTALLED_APPS=[])["INSTALLED_APPS"] == [APP]
    assert OpenTelemetryConfig.name == APP


def test_the_manuals_exporter_for_prometheus_serves(provider, monkeypatch):
    """On the port that it says, of this machine alone."""
    served = []
    monkeypatch.setattr("prometheus_client.start_http_server", lambda *args, **options: served.append((args, options)))
    run_snippet("opentelemetry-prometheus")
    assert isinstance(provider[0], MeterProvider)
    assert served == [((9464,), {"addr": "127.0.0.1"})]


def test_the_manuals_workers_send_under_names_of_their_own(provider, monkeypatch):
    """The SDK is real; what sends stands in for the OTLP exporter, which speaks to a network."""
    module = ModuleType("opentelemetry.exporter.otlp.proto.http.metric_exporter")
    module.OTLPMetricExporter = lambda: ConsoleMetricExporter(out=StringIO())
    parts = module.__name__.split(".")
    for length in range(3, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:length]), ModuleType(".".join(parts[:length])))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    post_fork = run_snippet("opentelemetry-workers")["post_fork"]
    for pid in (1, 2):
        post_fork(None, SimpleNamespace(pid=pid))
    names = [each._sdk_config.resource.attributes["service.instance.id"] for each in provider]
    assert names == ["1", "2"]
