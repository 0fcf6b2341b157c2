"""See `manage.py help oauth_jwks` and `manage.py help explain_token`."""
