"""RSA keys of two primes that are close to each other: their private keys can be computed (CVE-2022-26320)."""

from math import isqrt
from typing import Final

#: The keys that were found in the wild needed one. A new key of a DPoP proof pays for them, some 20 microseconds.
_ROUNDS: Final = 5


def has_close_primes(modulus: int) -> bool:
    """Tell whether Fermat's method factors an RSA modulus at once: primes chosen at random never are that close.

    It looks for ``modulus = a*a - b*b``, beginning with the smallest ``a``; the factors are ``a + b`` and ``a - b``.
    """
    first = isqrt(modulus - 1) + 1
    return any(isqrt(square) ** 2 == square for square in (a * a - modulus for a in range(first, first + _ROUNDS)))
