"""Copy what the tests need, without the package's source, so that they run against the installed wheel."""

import shutil
import sys
from pathlib import Path

source, target = map(Path, sys.argv[1:])
for name in ("tests", "testproject", "manage.py", "pyproject.toml", "README.md", "docs", ".github"):
    if (target / name).is_dir():
        shutil.rmtree(target / name)
    copy = shutil.copytree if (source / name).is_dir() else shutil.copy
    copy(source / name, target / name)
