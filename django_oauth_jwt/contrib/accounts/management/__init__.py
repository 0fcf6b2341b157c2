"""See `manage.py help oauth_accounts`."""
