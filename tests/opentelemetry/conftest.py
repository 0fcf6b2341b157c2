"""A project with the app, the real SDK as its meter provider, and what is read from that."""

import queue
import re
from urllib.request import urlopen

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader

from django_oauth_jwt import signals

from ..servers.faulty_server import FOREVER

APP = "django_oauth_jwt.contrib.opentelemetry"
SIGNALS = [signal for signal in vars(signals).values() if isinstance(signal, signals.Signal)]
_SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Figures:
    """What the SDK has been told since it was read last."""

    def __init__(self, reader):
        self._reader = reader

    def read(self):
        """Return the points by the metric's name and its attributes: the value, or a histogram's point."""
        data = self._reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        points = {}
        for scope in scopes:
            assert scope.scope.name == "django_oauth_jwt"
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    value = getattr(point, "value", point)
                    if value:  # a counter that has not moved
                        points[metric.name, tuple(sorted(point.attributes.items()))] = value
        return points

    def of(self, name):
        """Return the points of one metric by their attributes."""
        return {attributes: value for (metric, attributes), value in self.read().items() if metric == name}


@pytest.fixture(scope="session")
def _readers():
    """Set the global meter provider, which can be done once in a process, and return what reads it."""
    from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: PLC0415  # registers its collector

    kinds = (Counter, Histogram, ObservableCounter)
    in_memory = InMemoryMetricReader(preferred_temporality=dict.fromkeys(kinds, AggregationTemporality.DELTA))
    provider = MeterProvider([in_memory, PrometheusMetricReader()])
    metrics.set_meter_provider(provider)
    yield in_memory
    provider.shutdown()


@pytest.fixture
def figures(_readers, settings, bare_project):
    """The figures of a project with the app, from none on."""
    before = [(signal, signal.receivers[:]) for signal in SIGNALS]
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, APP]
    settings.ROOT_URLCONF = "tests.opentelemetry.views"
    figures = Figures(_readers)
    figures.read()
    yield figures
    for signal, receivers in before:
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


@pytest.fixture
def told(figures):
    """Wait until a signal about keys or introspection was sent, and counted: ``told()`` returns which one."""
    names = queue.Queue()

    def hear(signal, **kwargs):
        names.put(next(name for name, each in vars(signals).items() if each is signal))

    for signal in SIGNALS[2:]:
        signal.connect(hear)
    yield lambda: names.get(timeout=FOREVER)
    for signal in SIGNALS[2:]:
        signal.disconnect(hear)


@pytest.fixture
def scrape(_readers):
    """Ask a real Prometheus exporter over HTTP: ``scrape()`` returns [(name, labels, value)]."""
    from prometheus_client import start_http_server  # noqa: PLC0415  # as above

    server, thread = start_http_server(0, addr="127.0.0.1")

    def scrape():
        with urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=FOREVER) as response:
            text = response.read().decode()
        samples = _SAMPLE.finditer(text)
        return [(each["name"], dict(_LABEL.findall(each["labels"] or "")), float(each["value"])) for each in samples]

    yield scrape
    server.shutdown()
    server.server_close()
    thread.join(FOREVER)
