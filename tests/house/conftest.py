"""Verification as its own tests ask for it."""

from ..verification.conftest import reason_of, verify

__all__ = ["reason_of", "verify"]
