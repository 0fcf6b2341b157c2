"""The fingerprint of RSA keys that a faulty library made: their private keys can be computed (CVE-2017-15361, ROCA)."""

from typing import Final

#: The library's primes are powers of 65537 modulo each of these, and so is their product, the RSA modulus.
_PRIMES: Final = (
    *(3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97),
    *(101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167),
)
_POWERS: Final = {prime: frozenset(pow(65537, power, prime) for power in range(prime)) for prime in _PRIMES}


def has_roca_fingerprint(modulus: int) -> bool:
    """Tell whether an RSA modulus has the fingerprint; one of another library has it once in some 100 million keys."""
    return all(modulus % prime in powers for prime, powers in _POWERS.items())
