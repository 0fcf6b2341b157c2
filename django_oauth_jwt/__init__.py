"""An OAuth 2.0 resource server for Django: JWT bearer tokens, checked offline."""

__version__ = "0.1.0"
