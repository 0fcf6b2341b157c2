"""The inside of a key service, in one place: the tests of the key layer alone look there."""

from dataclasses import replace
from types import SimpleNamespace

from django_oauth_jwt.jwks.snapshot import Wanted

from ..servers.faulty_server import FOREVER


def inside(service):
    """Return the parts of a service that this process uses now."""
    source = service._sources.get()
    refresher = source._refresher
    return SimpleNamespace(
        source=source,
        refresher=refresher,
        fetcher=refresher.fetcher,
        client=refresher.fetcher._client,
        shared=refresher.shared,
        cache=refresher.shared._cache,
    )


def keys_of(service):
    """Return the keys that a service has, with their times."""
    return service._sources.latest.state.snapshot


def search_for(service, kid, alg):
    """Return the steps by which a request gets a key that is not in memory."""
    return service._sources.get().find(Wanted(kid, alg))


def keys_job(service):
    """Return the job that is under way, None where there is none."""
    return service._sources.latest.state.job


def change(service, **state):
    """Change the state of a service: ``change(service, next_cache_read=0)``."""
    source = inside(service).source
    source.state = replace(source.state, **state)


def have_patience(service, patience, **more):
    """Have the requests of a service wait so many seconds for a job, and change other times that are no settings."""
    parts = inside(service)
    parts.source._timing = parts.refresher.timing = parts.source._timing._replace(
        **{"patience": patience, "patience_in_trouble": patience, **more}
    )


def settle(*services):
    """Wait until nothing goes on behind the requests."""
    for service in services:
        job = service._sources.latest.state.job
        if job is not None:
            job.future.result(FOREVER)
