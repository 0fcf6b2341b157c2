"""What the tests of users share."""

import pytest


@pytest.fixture(autouse=True)
def _bare_project(bare_project):
    """Every test here begins so."""
