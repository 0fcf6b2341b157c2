"""The commands as a shell meets them."""

from io import StringIO

import pytest
from django.core.management import call_command


@pytest.fixture
def run():
    """Run a command; return what it prints and its exit status."""

    def run(*arguments, stdout=None, **options):
        stdout = stdout or StringIO()
        try:
            call_command(*arguments, stdout=stdout, **options)
        except SystemExit as end:
            return stdout.getvalue(), end.code
        return stdout.getvalue(), 0

    return run


class Terminal(StringIO):
    """An output that says it is a terminal, of some encoding."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal():
    """A terminal that can show everything."""
    return Terminal()


@pytest.fixture(autouse=True)
def _colours(monkeypatch):
    """Whatever the machine that runs the tests says of colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "DJANGO_COLORS"):
        monkeypatch.delenv(name, raising=False)
