"""What an explanation has a line for, in the order of verification."""

RULES = [
    *("text", "segments", "header", "parameters", "extensions", "payload", "issuer", "algorithm", "keys", "key"),
    *(
        "signature",
        "type",
        "kind",
        "use",
        "required claims",
        "audience",
        "names",
        "exp",
        "nbf",
        "iat",
        "binding",
        "scope",
        "claims",
    ),
]
#: What it has for a proof that is given as well, in this order, below the binding.
PROOF_RULES = [
    *(
        "scheme",
        "proof",
        "proof algorithm",
        "proof key",
        "proof signature",
        "proof claims",
        "proof method",
        "proof URL",
    ),
    *("proof time", "proof token"),
]
