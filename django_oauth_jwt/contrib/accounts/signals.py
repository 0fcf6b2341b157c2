"""Signals of new identities, sent once each is stored.

``identity_created``  sender: FederatedIdentity, ``identity``, ``user`` (a new one), ``access_token``
``identity_linked``   sender: FederatedIdentity, ``identity``, ``user`` (whom LINK found), ``access_token``
"""

from django.dispatch import Signal

identity_created = Signal()
identity_linked = Signal()
