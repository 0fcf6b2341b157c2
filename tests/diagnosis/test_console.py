"""What the commands print does no harm to a terminal."""

from io import StringIO

import pytest
from django.core.management.base import OutputWrapper
from django.core.management.color import no_style

from django_oauth_jwt.diagnosis import Console


@pytest.mark.parametrize("outcome", [True, False, None])
def test_what_a_terminal_obeys_is_not_printed(outcome):
    """Neither in a line nor in a result: an authorization server may have put it there."""
    output = StringIO()
    console = Console(OutputWrapper(output), no_style())
    console.line("a\x1b[2J\nb", outcome=outcome)
    console.result(outcome, "a\x1b[2J\nb")
    first, second = output.getvalue().splitlines()
    assert first == "a?[2J?b"
    assert second.endswith(" a?[2J?b")
