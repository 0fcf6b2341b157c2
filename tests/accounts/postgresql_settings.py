"""The example's settings, with a PostgreSQL server that listens in a folder."""

import os

from testproject.settings import *  # noqa: F403  # as the docstring says

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "tests",
        "HOST": os.environ["POSTGRESQL_FOLDER"],
    }
}
