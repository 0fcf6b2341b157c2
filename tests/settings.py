"""The example project's settings without INTROSPECTION: what is no JWT is refused unasked, unless a test says more."""

from testproject.settings import *  # noqa: F403  # a settings module is made of all its names
from testproject.settings import OAUTH_JWT as EXAMPLE

OAUTH_JWT = {key: value for key, value in EXAMPLE.items() if key != "INTROSPECTION"}
