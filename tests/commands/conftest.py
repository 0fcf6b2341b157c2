"""The commands as a shell meets them."""

from io import StringIO

import pytest
from django.core.management import call_command, load_command_class


@pytest.fixture
def run():
    """Run a command as the command line does; return what it prints and its exit status."""

    def run(name, *arguments, stdout=None, **options):
        stdout = stdout or StringIO()
        command = load_command_class("django_oauth_jwt", name)
        command._called_from_command_line = True
        try:
            call_command(command, *arguments, stdout=stdout, **options)
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
