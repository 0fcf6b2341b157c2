"""Caches that a project may have, healthy and sick. What is shared is no LocMemCache to the package, but a child."""

import threading

from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache

LOCAL = "django.core.cache.backends.locmem.LocMemCache"
DUMMY = "django.core.cache.backends.dummy.DummyCache"
FOREVER = 60


class SharedCache(LocMemCache):
    """A cache of which it is not known whether it can hang, and which notes what it is asked."""

    asked = []  # noqa: RUF012  # each test has its own

    def get(self, key, *args, **kwargs):
        self.asked.append(("get", key, None))
        return super().get(key, *args, **kwargs)

    def set(self, key, value, timeout=None, **kwargs):
        self.asked.append(("set", key, timeout))
        super().set(key, value, timeout, **kwargs)

    def get_many(self, keys, *args, **kwargs):
        self.asked.append(("get_many", tuple(keys), None))
        missing = object()
        found = {key: LocMemCache.get(self, key, missing) for key in keys}
        return {key: value for key, value in found.items() if value is not missing}


class BrokenCache(LocMemCache):
    """A cache whose server is down."""

    def _fail(self, *args, **kwargs):
        raise ConnectionError

    get = set = get_many = add = _fail


class SilentCache(LocMemCache):
    """A cache that hides that its server is down: django-redis and pymemcache, told to ignore errors."""

    def get(self, key, default=None, **kwargs):
        return default

    def set(self, *args, **kwargs):
        pass

    def get_many(self, *args, **kwargs):
        return {}


class MuteCache(SilentCache):
    """The same, with no answer where there should be an empty one."""

    def get_many(self, *args, **kwargs):
        return None


class HangingCache(LocMemCache):
    """A cache that does not answer before the test is over."""

    go_on = threading.Event()

    def _hang(self, *args, **kwargs):
        HangingCache.go_on.wait(FOREVER)

    get = set = get_many = _hang


class OwnDummyCache(DummyCache):
    """A child of it remembers as little."""
