"""The house: each wing imports only from the faces of the wings below it, and the top holds nothing but the front."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import django_oauth_jwt

PACKAGE = "django_oauth_jwt"
ROOT = Path(django_oauth_jwt.__file__).parent
CONTRIBUTING = Path(__file__).parents[2] / ".github" / "CONTRIBUTING.md"

#: The modules at the top: one for each place where Django, DRF or a user's code reaches in, from the lowest up.
FRONT = (
    *("revocation", "users", "decorators", "health", "middleware", "authentication", "permissions", "throttling"),
    *("urls", "checks"),
)
#: From the ground up: what stands further right may import from what stands further left.
ORDER = (
    *("errors", "signals", "tokens", "jws", "conf", "upstream", "issuers", "jwks", "introspection"),
    *("verification", "proofs", "http", "diagnosis"),
    *("testing", "management", *FRONT, "contrib", "apps"),
)
#: The folders whose insides are nobody else's: others import from their ``__init__``.
WINGS = (
    *("tokens", "jws", "conf", "upstream", "issuers", "jwks", "introspection", "verification", "proofs", "http"),
    *("diagnosis", "testing"),
)
#: Where Django REST framework may be imported; everything else works without it in INSTALLED_APPS.
KNOW_REST_FRAMEWORK = ("authentication", "permissions", "throttling", "contrib")
#: What a project installs for one capability.
OF_ONE_CAPABILITY = {"channels", "drf_spectacular", "ninja", "opentelemetry", "pydantic"}

SOURCES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def _room(parts):
    """Return the front module or the folder that a dotted name inside the package belongs to."""
    return parts[0] if parts else ""


@cache
def imported(path, text):
    """Return the dotted names inside the package that a module imports, at whatever depth it does so."""
    return [*_imported(path.parts[:-1], text)]


def _imported(package, text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            yield from (name[1:] for name in names if name[0] == PACKAGE)
        elif isinstance(node, ast.ImportFrom):
            base = [PACKAGE, *package][: len(package) + 2 - node.level] if node.level else []
            origin = [*base, *(node.module.split(".") if node.module else [])]
            if origin[0] == PACKAGE:
                yield from ([*origin[1:], alias.name] for alias in node.names)


def faults(path, text):
    """Return what a module imports against the rules: from above, from beside, or past a face."""
    here = path.parts[0].removesuffix(".py")
    found = []
    for name in imported(path, text):
        room = _room(name)
        if room == here or room not in ORDER:
            continue
        if here not in ORDER or ORDER.index(room) > ORDER.index(here):
            found.append(f"{'.'.join(name)} stands above {here}")
        # One name behind the wing's own is the face's; a second is a module inside.
        elif room in WINGS and (len(name) > 2 or (ROOT / room / f"{name[-1]}.py").exists()):
            found.append(f"{'.'.join(name)} is inside {room}")
    return found


def test_the_top_holds_the_front_and_the_wings_and_nothing_else():
    """A file that nobody has thought a place for fails here, and so does an entry of the order that is not there."""
    rooms = {path.parts[0].removesuffix(".py") for path in SOURCES} - {"__init__"}
    assert rooms == set(ORDER)
    assert len(set(ORDER)) == len(ORDER)


def test_a_module_imports_only_from_faces_below():
    """So the rooms have an order, and what is inside one can change without its neighbours."""
    found = {path: faults(path, (ROOT / path).read_text()) for path in SOURCES}
    assert {path: of_path for path, of_path in found.items() if of_path} == {}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tokens/access_token.py", "from ..conf import get_settings"),
        ("errors.py", "from .conf import get_settings"),
        ("jws/compact.py", "def late():\n    from ..verification import verify_token"),
        ("conf/rules.py", "import django_oauth_jwt.http"),
        ("http/responses.py", "from ..jws.key_set import KeySet"),
        ("http/responses.py", "from ..jws import compact"),
        ("middleware.py", "from .http.challenge import challenge"),
        ("decorators.py", "from django_oauth_jwt.middleware import JwtBearerMiddleware"),
    ],
)
def test_a_climb_and_a_reach_past_a_face_are_seen(path, text):
    """The rules are worth something only while the reader sees relative, absolute and local imports."""
    assert len(faults(Path(path), text)) == 1


@pytest.mark.parametrize("wing", sorted({path.parts[0] for path in SOURCES if len(path.parts) > 1}))
def test_the_modules_of_a_wing_need_each_other_in_one_direction(wing):
    """Without circles one of them can be read, and tried, after the other."""
    needs = {}
    for path in (path for path in SOURCES if path.parts[0] == wing):
        module = path.parts[1:]
        names = (name[1:] for name in imported(path, (ROOT / path).read_text()) if _room(name) == wing)
        needs[module[-1]] = {f"{part}.py" for name in names for part in name if (ROOT / wing / f"{part}.py").exists()}
    while needs:
        lowest = [module for module, needed in needs.items() if not needed & needs.keys()]
        assert lowest, f"a circle among {sorted(needs)}"
        for module in lowest:
            del needs[module]


def test_rest_framework_is_known_to_its_own_edges_only():
    """A project without DRF in INSTALLED_APPS loads none of it through the middleware or the decorator."""
    knowing = {path.parts[0].removesuffix(".py") for path in SOURCES if "rest_framework" in (ROOT / path).read_text()}
    assert knowing - {*KNOW_REST_FRAMEWORK} == set()


def packages_of(text):
    """Return the packages that a module imports, at whatever depth it does so."""
    nodes = [*ast.walk(ast.parse(text))]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in plain | froms}


def test_a_package_of_one_capability_is_imported_in_contrib_alone():
    """So nobody has to install what they do not use."""
    elsewhere = [path for path in SOURCES if path.parts[0] != "contrib"]
    assert [path for path in elsewhere if packages_of((ROOT / path).read_text()) & OF_ONE_CAPABILITY] == []


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_says_what_it_is_for(wing):
    """In the docstring of its face, which also lists what the others may use."""
    face = ast.parse((ROOT / wing / "__init__.py").read_text())
    assert len(ast.get_docstring(face)) > 100
    assert any(isinstance(node, ast.Assign) and node.targets[0].id == "__all__" for node in face.body)


#: The rows of CONTRIBUTING's map, from the top down: the names in the first column.
MAP = re.search(r"<!-- map -->\n.*?\n\n", CONTRIBUTING.read_text(), re.DOTALL)[0]


def test_the_map_of_contributing_is_the_order_of_the_layers():
    """A newcomer who reads it from the top goes down; each wing and each front module has its place in it."""
    rows = [re.findall(r"`(\w+)/?`", line.split("|")[1]) for line in MAP.splitlines()[3:] if line.startswith("|")]
    assert sorted(name for row in rows for name in row) == sorted(ORDER)
    wings = [name for row in rows for name in row if name in WINGS and name != "testing"]
    assert wings == [name for name in reversed(ORDER) if name in wings]
    assert [set(row) for row in rows if len(row) > 2] == [{*FRONT, "apps"}]
