"""The words of the package: the field's own, and plain English."""

import re
from pathlib import Path

import django_oauth_jwt

PACKAGE = Path(django_oauth_jwt.__file__).parent
AVOIDED = re.compile(
    r"(?<![^\W_])(whoever|lest|keepers?|adopt(s|ed|ing)?|findings|at\s+hand|gates?)(?![^\W_])", re.IGNORECASE
)


def test_no_private_dialect_stands_in_the_package():
    """Neither in names nor in comments, docstrings or texts: a reader whose third language is English meets them."""
    texts = {path.relative_to(PACKAGE): path.read_text() for path in PACKAGE.rglob("*.py")}
    assert len(texts) > 100
    assert {str(path): found[0] for path, text in texts.items() if (found := AVOIDED.search(text))} == {}


def test_a_word_to_avoid_is_seen():
    """In names as well, and over the end of a line; a longer word is another one."""
    assert all(map(AVOIDED.search, ["Whoever asks", "_gate", "keys at\n    hand", "key_keeper = 5"]))
    assert not AVOIDED.search("the aggregate investigates, and the closest is at handshake")
