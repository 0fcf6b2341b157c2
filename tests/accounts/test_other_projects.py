"""Accounts in projects whose settings cannot be had in this process: another user model, files, PostgreSQL."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
#: What a database has a say in.
ON_POSTGRESQL = ("test_identities.py", "test_new_users.py", "test_claims.py", "two_at_once.py")


def run_tests(settings, *files, **environment):
    """Run files of tests under other settings, in one process; fail with what it prints."""
    environment |= {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO", "PYTEST", "COV"))}
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", f"--ds=tests.accounts.{settings}", "-k", "not at_an_entrance"]
    command = [sys.executable, "-m", "pytest", *options, *(str(HERE / file) for file in files)]
    run = subprocess.run(command, cwd=HERE.parents[1], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout


def test_another_user_model_in_a_database_of_its_own(tmp_path):
    """See `members`: with a router, files that several threads write to, and a transaction for each request."""
    run_tests("members.settings", "members/members_cases.py", "two_at_once.py", MEMBERS_FOLDER=str(tmp_path))


@contextmanager
def postgresql():
    """Run a PostgreSQL server that listens in a folder alone; it does not run as root."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("needs Debian's package postgresql, which .ci/run installs")
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    how = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = tempfile.mkdtemp(prefix="pg-")  # no folder of pytest's, which nobody but root may enter
    try:
        shutil.chown(folder, user)
        how |= {"cwd": folder, "stdout": subprocess.DEVNULL}
        initdb = [
            found[-1],
            "--no-sync",
            "--auth=trust",
            "--username=tests",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
            "data",
        ]
        subprocess.run(initdb, check=True, **how)
        options = ["listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", "log_min_messages=fatal"]
        pg_ctl = [found[-1].with_name("pg_ctl"), "-D", "data", "-s", "-w"]
        log = [f"-l{folder}/log", "-o", " ".join(f"-c {option}" for option in options)]
        subprocess.run([*pg_ctl, *log, "start"], check=True, **how)
        try:
            yield folder
        finally:
            subprocess.run([*pg_ctl, "-m", "immediate", "stop"], check=True, **how)
    finally:
        shutil.rmtree(folder)


@pytest.mark.postgresql
@pytest.mark.real_servers
def test_postgresql():
    """Migrations, constraints, NUL, locks and threads as production has them."""
    with postgresql() as folder:
        run_tests("postgresql_settings", *ON_POSTGRESQL, POSTGRESQL_FOLDER=folder)
