"""Certificates of clients, and how the servers before a project tell of them."""

import base64
import hashlib
from urllib.parse import quote

from .rfc_vectors import CERTIFICATE, CLIENT_CERT

PEM, DER = CERTIFICATE, base64.b64decode("".join(CERTIFICATE.split("-----")[2].split()))
OTHER_DER = base64.b64decode(CLIENT_CERT.strip(":"))
ANOTHER = "of another client"
ANOTHER_OR_NONE = "of another client, or none: it depends on the version of Python"


def pem_of(der):
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n"


def thumbprint_of(der):
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


OTHER_PEM, OTHER_X5T = pem_of(OTHER_DER), thumbprint_of(OTHER_DER)
CHAIN, OTHER_CHAIN = PEM + OTHER_PEM, OTHER_PEM + PEM
ESCAPED, OTHER_ESCAPED = quote(PEM, safe=""), quote(OTHER_PEM, safe="")
SEQUENCE = f":{base64.b64encode(DER).decode()}:"
HASH, OTHER_HASH = (hashlib.sha256(der).hexdigest() for der in (DER, OTHER_DER))
XFCC = f'By=spiffe://api;Hash={HASH};Cert="{ESCAPED}";Subject="CN=a, O=\\"b;c\\"";URI=;DNS=a;DNS=b'
OTHER_XFCC = f'Hash={OTHER_HASH};Cert="{OTHER_ESCAPED}"'

#: By source: the variable of the request that it reads.
VARIABLES = {
    "rfc9440": "HTTP_CLIENT_CERT",
    "nginx": "HTTP_X_SSL_CLIENT_CERT",
    "envoy": "HTTP_X_FORWARDED_CLIENT_CERT",
    "wsgi": "SSL_CLIENT_CERT",
}
#: Source, and what it says of the client whose certificate is that of RFC 8705.
GOOD = {
    "rfc9440: certificate": ("rfc9440", SEQUENCE),
    "rfc9440: blanks around": ("rfc9440", f"  {SEQUENCE} "),
    "nginx: escaped": ("nginx", ESCAPED),
    "nginx: escaped but for what a header takes": ("nginx", quote(PEM, safe="/+=- ")),
    "nginx: chain": ("nginx", quote(CHAIN, safe="")),
    "nginx: without a final line break": ("nginx", quote(PEM.strip(), safe="")),
    "nginx: with CRLF": ("nginx", quote(PEM.replace("\n", "\r\n"), safe="")),
    "envoy: all of it": ("envoy", XFCC),
    "envoy: certificate alone": ("envoy", f'Cert="{ESCAPED}"'),
    "envoy: not quoted": ("envoy", f"Cert={ESCAPED}"),
    "envoy: keys in other letters": ("envoy", f'hash={HASH};CERT="{ESCAPED}"'),
    "envoy: hash alone": ("envoy", f"By=spiffe://api;Hash={HASH};URI=spiffe://client"),
    "envoy: hash in capitals": ("envoy", f"Hash={HASH.upper()}"),
    "envoy: chain in Cert": ("envoy", f'Cert="{quote(CHAIN, safe="")}"'),
    "envoy: chain beside it": ("envoy", f'Cert="{ESCAPED}";Chain="{quote(CHAIN, safe="")}"'),
    "envoy: the last of two elements": ("envoy", f"{OTHER_XFCC},{XFCC}"),
    "envoy: the last of three elements": ("envoy", f"{OTHER_XFCC}, {OTHER_XFCC} ,{XFCC}"),
    "envoy: separators in quotes": ("envoy", f'Subject="x\\",Hash={OTHER_HASH};y";Cert="{ESCAPED}"'),
    "envoy: a backslash at the end of a quote": ("envoy", f'Subject="x\\\\";Cert="{ESCAPED}"'),
    "envoy: a second certificate in the names": ("envoy", f'Cert="{ESCAPED}";URI=x;Cert="{OTHER_ESCAPED}"'),
    "wsgi: certificate": ("wsgi", PEM),
    "wsgi: chain": ("wsgi", CHAIN),
}
#: Source, what it says, and what the log tells: nothing of it is the certificate of that client.
BAD = {
    "rfc9440: of another client": ("rfc9440", CLIENT_CERT, ANOTHER),
    "rfc9440: no colons": ("rfc9440", SEQUENCE.strip(":"), "no byte sequence"),
    "rfc9440: one colon": ("rfc9440", ":", "no byte sequence"),
    "rfc9440: colon at the end alone": ("rfc9440", SEQUENCE[1:], "no byte sequence"),
    "rfc9440: truncated": ("rfc9440", SEQUENCE[:-20], "no byte sequence"),
    "rfc9440: truncated inside": ("rfc9440", f"{SEQUENCE[:-22]}:", "cannot be read"),
    "rfc9440: truncated at a whole byte": ("rfc9440", f"{SEQUENCE[:-25]}:", ANOTHER),
    "rfc9440: empty": ("rfc9440", "::", "empty"),
    "rfc9440: blanks inside": ("rfc9440", SEQUENCE.replace("M", "M ", 1), "cannot be read"),
    "rfc9440: base64url": ("rfc9440", SEQUENCE.replace("+", "-").replace("/", "_"), "cannot be read"),
    "rfc9440: not ASCII": ("rfc9440", ":\u00e9\u00e9\u00e9\u00e9:", "cannot be read"),
    "rfc9440: two": ("rfc9440", f"{SEQUENCE}, {SEQUENCE}", "cannot be read"),
    "rfc9440: two, the other first": ("rfc9440", f"{CLIENT_CERT},{SEQUENCE}", "cannot be read"),
    "rfc9440: parameters": ("rfc9440", f"{SEQUENCE};a=b", "no byte sequence"),
    "rfc9440: PEM": ("rfc9440", ESCAPED, "no byte sequence"),
    "rfc9440: a string": ("rfc9440", f'"{SEQUENCE}"', "no byte sequence"),
    "nginx: of another client": ("nginx", OTHER_ESCAPED, ANOTHER),
    "nginx: chain with another first": ("nginx", quote(OTHER_CHAIN, safe=""), ANOTHER),
    "nginx: truncated": ("nginx", ESCAPED[:200], "no whole PEM certificate"),
    "nginx: truncated inside": ("nginx", quote(PEM.replace("SQAw", ""), safe=""), ANOTHER),
    "nginx: one character lost": ("nginx", quote(PEM.replace("SQAw", "SQA"), safe=""), "cannot be read"),
    "nginx: begins late": ("nginx", ESCAPED[20:], "no whole PEM certificate"),
    "nginx: ends before it begins": (
        "nginx",
        quote("-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----"),
        "no whole",
    ),
    "nginx: nothing in it": ("nginx", quote("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"), "empty"),
    "nginx: words": ("nginx", "certificate", "no whole PEM certificate"),
    "nginx: (null)": ("nginx", "(null)", "no whole PEM certificate"),
    "nginx: not ASCII": (
        "nginx",
        quote("-----BEGIN CERTIFICATE-----\u00e9-----END CERTIFICATE-----"),
        "cannot be read",
    ),
    "nginx: a private key": ("nginx", quote(PEM.replace("CERTIFICATE", "PRIVATE KEY"), safe=""), "no whole PEM"),
    "nginx: plus as a blank": ("nginx", ESCAPED.replace("%2B", "%20"), ANOTHER_OR_NONE),
    "nginx: twice": ("nginx", f"{OTHER_ESCAPED},{ESCAPED}", "more than one certificate"),
    "nginx: twice, the client's own first": ("nginx", f"{ESCAPED},{OTHER_ESCAPED}", "more than one certificate"),
    "nginx: an empty one before it": ("nginx", f",{ESCAPED}", "more than one certificate"),
    "nginx: with text in front": ("nginx", quote(f"subject=CN=a\n{PEM}", safe=""), "no whole PEM"),
    "envoy: of another client": ("envoy", OTHER_XFCC, ANOTHER),
    "envoy: hash of another client": ("envoy", f"Hash={OTHER_HASH}", ANOTHER),
    "envoy: the first of two elements": ("envoy", f'Hash={HASH};Cert="{ESCAPED}",{OTHER_XFCC}', ANOTHER),
    "envoy: an element in a name": (
        "envoy",
        f"Hash={OTHER_HASH};URI=x,Hash={HASH}",
        "after the names",
    ),
    "envoy: an element in an empty name": ("envoy", f"Hash={OTHER_HASH};DNS=,Hash={HASH}", "after the names"),
    "envoy: an element after a quoted name": ("envoy", f'Hash={OTHER_HASH};uri="x",Hash={HASH}', "after the names"),
    "envoy: a certificate in a name": ("envoy", f'Hash={OTHER_HASH};URI=x;Cert="{ESCAPED}"', ANOTHER),
    "envoy: a hash in a name": ("envoy", f"URI=x;Hash={HASH};DNS=y", "neither Cert nor Hash"),
    "envoy: the right hash beside another certificate": ("envoy", f'Hash={HASH};Cert="{OTHER_ESCAPED}"', ANOTHER),
    "envoy: the last element has names alone": (
        "envoy",
        f"Hash={HASH},By=spiffe://a;URI=x",
        "neither Cert nor Hash",
    ),
    "envoy: names alone": ("envoy", 'Subject="CN=a"', "neither Cert nor Hash"),
    "envoy: chain alone": ("envoy", f'Chain="{quote(CHAIN, safe="")}"', "neither Cert nor Hash"),
    "envoy: hash too short": ("envoy", f"Hash={HASH[:-2]}", "neither Cert nor Hash"),
    "envoy: hash empty": ("envoy", "Hash=", "neither Cert nor Hash"),
    "envoy: hash no hex": ("envoy", f"Hash={'x' * 64}", "cannot be read"),
    "envoy: certificate empty": ("envoy", f'Hash={HASH};Cert=""', "no whole PEM certificate"),
    "envoy: certificate truncated": ("envoy", f'Cert="{ESCAPED[:300]}"', "no whole PEM certificate"),
    "envoy: the quote does not end": ("envoy", f'Cert="{ESCAPED}', "malformed"),
    "envoy: text behind the quote": ("envoy", f'Cert="{ESCAPED}"x', "malformed"),
    "envoy: no pair": ("envoy", "certificate", "malformed"),
    "envoy: no key": ("envoy", f"={HASH}", "malformed"),
    "envoy: ends in a separator": ("envoy", f"{XFCC};", "malformed"),
    "envoy: ends in a comma": ("envoy", f"{OTHER_XFCC},", "malformed"),
    "envoy: base64 alone": ("envoy", base64.b64encode(DER).decode(), "malformed"),
    "wsgi: of another client": ("wsgi", OTHER_PEM, ANOTHER),
    "wsgi: chain with another first": ("wsgi", OTHER_CHAIN, ANOTHER),
    "wsgi: truncated": ("wsgi", PEM[:-30], "no whole PEM certificate"),
    "wsgi: escaped": ("wsgi", ESCAPED, "no whole PEM certificate"),
    "wsgi: DER": ("wsgi", DER.decode("latin-1"), "no whole PEM certificate"),
}
