"""What an explanation has a line for, in the order of verification."""

RULES = [
    *("text", "segments", "header", "parameters", "extensions", "payload", "issuer", "algorithm", "keys", "key"),
    *("signature", "type", "kind", "required claims", "audience", "names", "exp", "nbf", "iat", "scope", "claims"),
]
