"""A newcomer's first steps: a fresh project, secured by README's settings and tested by its test case."""

import os
import subprocess
import sys

import pytest
from django.core.management import call_command

from .manual_text import SNIPPETS

SECURING = "quick-middleware"


def run(folder, *arguments):
    """Run Python in a folder, as one would in a project that knows nothing of this one."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "PYTEST", "COV"))
    }
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def fresh_project(tmp_path):
    """What `django-admin startproject` makes, with one view of its own."""
    call_command("startproject", "mysite", tmp_path)
    (tmp_path / "mysite" / "views.py").write_text(SNIPPETS["quick-views"])
    with (tmp_path / "mysite" / "urls.py").open("a") as file:
        file.write('from mysite import views\nurlpatterns += [path("whoami/", views.whoami)]\n')
    (tmp_path / "mysite" / "tests.py").write_text(SNIPPETS["quick-test"])
    return tmp_path


def secure(project):
    """Append README's lines to the settings."""
    with (project / "mysite" / "settings.py").open("a") as file:
        file.write(f"\n{SNIPPETS[SECURING].strip()}\n")


def test_under_ten_lines_secure_a_fresh_project(fresh_project):
    """README's settings are all that it takes: its test case fails before them and passes after."""
    before = run(fresh_project, "manage.py", "test", "mysite")
    assert before.returncode == 1
    secure(fresh_project)
    lines = [line for line in SNIPPETS[SECURING].splitlines() if line and line[0] != "#"]
    assert len(lines) < 10
    after = run(fresh_project, "manage.py", "test", "mysite")
    assert after.returncode == 0, after.stderr
    assert "Ran 1 test" in after.stderr


def test_the_checks_of_a_fresh_project_are_content(fresh_project):
    """What README says gives no complaint, and a slip in it does."""
    secure(fresh_project)
    assert "no issues" in run(fresh_project, "manage.py", "check").stdout
    deployed = run(fresh_project, "manage.py", "check", "--deploy", "--tag", "oauth_jwt").stderr
    assert "oauth_jwt.W003" in deployed  # a fresh project has a cache of one process
    assert "oauth_jwt.W005" not in deployed
    with (fresh_project / "mysite" / "settings.py").open("a") as file:
        file.write('OAUTH_JWT |= {"AUDIENCES": "books"}\n')
    slip = run(fresh_project, "manage.py", "check")
    assert slip.returncode == 1
    assert "oauth_jwt.E002" in slip.stderr
    assert "Did you mean 'AUDIENCE'?" in slip.stderr


def test_a_fresh_project_has_accounts(fresh_project):
    """The page's lines and `migrate`: the admin, which a fresh project has, and the command know identities then."""
    secure(fresh_project)
    with (fresh_project / "mysite" / "settings.py").open("a") as file:
        file.write(SNIPPETS["accounts"])
    assert "no issues" in run(fresh_project, "manage.py", "check").stdout
    assert "Applying oauth_accounts.0001_initial... OK" in run(fresh_project, "manage.py", "migrate").stdout
    assert "No changes detected" in run(fresh_project, "manage.py", "makemigrations", "--check").stdout
    assert run(fresh_project, "manage.py", "oauth_accounts", "list").stdout.split() == [
        "subject",
        "issuer",
        "user",
        "last",
        "seen",
    ]
    code = "from django.contrib import admin; print(sorted(model.__name__ for model in admin.site._registry))"
    assert "['FederatedIdentity', 'Group', 'User']" in run(fresh_project, "manage.py", "shell", "-c", code).stdout


def test_accounts_that_are_not_installed_are_named(fresh_project):
    """Whoever forgets the line is told which."""
    secure(fresh_project)
    with (fresh_project / "mysite" / "settings.py").open("a") as file:
        file.write("\n".join(line for line in SNIPPETS["accounts"].splitlines() if "INSTALLED_APPS" not in line))
    forgotten = run(fresh_project, "manage.py", "check")
    assert forgotten.returncode == 1
    assert "Add 'django_oauth_jwt.contrib.accounts' to INSTALLED_APPS, and run manage.py migrate." in forgotten.stderr
