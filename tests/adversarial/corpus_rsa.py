"""Attacks on RSA's own mathematics: the block that is signed, its padding, and the numbers of the signature."""

from adversarial_forge import tokens

CASES = [*tokens("bad_signature", RSA, "RS256"), *tokens("bad_signature", PSS, "PS256")]
