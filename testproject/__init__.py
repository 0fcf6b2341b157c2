"""The example project: a Django API behind bearer tokens, with an authorization server of its own to try it."""
