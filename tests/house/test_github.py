"""What stands in .github: the workflows do what they are for, with no more rights than that takes."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

import django_oauth_jwt

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
CI, PUBLISH = (yaml.safe_load((GITHUB / "workflows" / name).read_text()) for name in ("ci.yml", "publish.yml"))


def _runs(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def _triggers(workflow):
    return workflow[True]  # YAML reads the key "on" so


def test_a_change_runs_everything():
    """CI has no list of its own: it runs .ci/run, on each Python of the matrix."""
    (job,) = CI["jobs"].values()
    (command,) = _runs(job)
    assert command.endswith(".ci/run")
    assert set(_triggers(CI)) == {"push", "pull_request"}
    pythons = next(step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", ""))
    classified = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert sorted(pythons.split()) == classified


def test_a_tag_alone_publishes():
    """By trusted publishing: one job may ask for an identity, and there is no secret to steal."""
    assert _triggers(PUBLISH) == {"push": {"tags": ["v*"]}}
    may_ask = [name for name, job in PUBLISH["jobs"].items() if "id-token" in job["permissions"]]
    assert may_ask == ["publish"]
    assert PUBLISH["jobs"]["publish"]["needs"] == "build"
    assert _runs(PUBLISH["jobs"]["publish"]) == []
    assert "secrets." not in "".join(path.read_text() for path in GITHUB.rglob("*.yml"))


def test_no_workflow_may_write():
    """Rights are given job by job, and to read is all that most need."""
    rights = [workflow.get("permissions") for workflow in (CI, PUBLISH)]
    assert rights == [{"contents": "read"}, {}]
    assert PUBLISH["jobs"]["build"]["permissions"] == {"contents": "read"}


@pytest.mark.parametrize(("tag", "status"), [(f"v{django_oauth_jwt.__version__}", 0), ("v0.0.9", 1)])
def test_a_tag_must_be_the_version(tag, status):
    """The job ends where somebody has forgotten to change one of them."""
    command = next(run for run in _runs(PUBLISH["jobs"]["build"]) if "GITHUB_REF_NAME" in run)
    # The package stands elsewhere than its tests where the wheel is tested.
    place = Path(django_oauth_jwt.__file__).parents[1]
    done = subprocess.run(["sh", "-c", command], env={"GITHUB_REF_NAME": tag}, cwd=place, check=False)
    assert done.returncode == status


@pytest.mark.parametrize("form", sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem)
def test_an_issue_form_is_one(form):
    """With a name, a description, and questions that have each a name of its own."""
    document = yaml.safe_load(form.read_text())
    assert document["name"]
    assert document["description"]
    names = [part["id"] for part in document["body"] if part["type"] != "markdown"]
    assert names
    assert len(set(names)) == len(names)
