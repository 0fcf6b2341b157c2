"""A project with a user model of its own, two databases in files, and a transaction for each request."""

import os
from pathlib import Path

from testproject.settings import *  # noqa: F403  # what this project does not have otherwise
from testproject.settings import INSTALLED_APPS

_FOLDER = Path(os.environ["MEMBERS_FOLDER"])
INSTALLED_APPS = [*INSTALLED_APPS, "tests.accounts.members"]
AUTH_USER_MODEL = "members.Member"
DATABASES = {
    alias: {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _FOLDER / alias,
        "TEST": {"NAME": _FOLDER / f"{alias}-test"},
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},  # as Django recommends it for more than one writer
    }
    for alias in ("default", "people")
}
DATABASE_ROUTERS = ["tests.accounts.members.routers.PeopleRouter"]
