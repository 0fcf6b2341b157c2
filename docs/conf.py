"""How Sphinx builds the manual: ``sphinx-build -W docs build/docs``."""

import os
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testproject.settings")
django.setup()  # before the API page's modules are imported

from django_oauth_jwt import __version__  # noqa: E402  # as above

project = "django-oauth-jwt"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 3  # as GitHub has them, for links like page.md#heading
default_role = "py:obj"  # of names in the docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "description"
toc_object_entries_show_parents = "hide"
html_theme = "furo"
html_title = f"django-oauth-jwt {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False  # LICENSE has it
