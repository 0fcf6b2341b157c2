"""An app that counts tokens, and measures fetches of keys and questions about tokens, for OpenTelemetry.

List it in INSTALLED_APPS; of OpenTelemetry it needs the API alone (`opentelemetry-api`):

>>> INSTALLED_APPS += ["django_oauth_jwt.contrib.opentelemetry"]

The project's own set-up says where the figures go: they come from the global meter provider, which may be set later.
`receivers` listens to our signals, `instruments` has the figures by their names, `tally` is how tokens are counted and
`names` what keeps the number of figures bounded.
"""
