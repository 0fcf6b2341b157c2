"""Values of every key of ``OAUTH_JWT``: what each refuses, and what each takes and makes of it."""

import re
from http import HTTPStatus
from ipaddress import ip_network
from types import SimpleNamespace

import requests
from django.utils.functional import lazystr

from django_oauth_jwt.conf import (
    AccountSettings,
    ClientCertificateSettings,
    DpopSettings,
    GroupSettings,
    IntrospectionSettings,
    Resource,
)
from django_oauth_jwt.jws import SUPPORTED_ALGORITHMS
from django_oauth_jwt.tokens import NO_PERMISSIONS, ClaimRequirement, ScopeHierarchy, TokenPermissions

ISSUER = "https://as.example.com"
VALID = {"JWKS_URI": "https://as.example.com/jwks", "ISSUER": ISSUER}
HUGE = 10**5000  # Python itself refuses to print it
NAN, INFINITY = float("nan"), float("inf")
RESOURCE = "https://api.example.com/v1"

#: No identifiers of resources (RFC 9728 section 1.2), and other spellings of the one above.
NO_RESOURCES = [f"{RESOURCE}#", f"{RESOURCE}#x", "http://api.example.com", "http://10.0.0.1/v1", "ftp://localhost/"]
SAME_RESOURCES = [
    "https://api.example.com/%761",
    RESOURCE,
    f"{RESOURCE}/",
    "https://API.example.com/v1",
    "https://api.example.com:443/v1",
]

#: What RFC 9728 section 2 registers besides.
METADATA_LISTS = [
    *("authorization_servers", "scopes_supported", "bearer_methods_supported"),
    *("resource_signing_alg_values_supported", "dpop_signing_alg_values_supported"),
    "authorization_details_types_supported",
]
METADATA_TEXTS = [
    *("jwks_uri", "resource_name", "resource_name#de", "resource_documentation", "resource_policy_uri"),
    *("resource_tos_uri", "signed_metadata"),
]
METADATA_FLAGS = ["tls_client_certificate_bound_access_tokens", "dpop_bound_access_tokens_required"]
METADATA = {
    "resource": RESOURCE,
    **dict.fromkeys(METADATA_LISTS, ("a", lazystr("b"))),
    **dict.fromkeys(METADATA_TEXTS, "x"),
    **dict.fromkeys(METADATA_FLAGS, False),
    "resource_name": lazystr("Books"),
    "resource_name#de": lazystr("B\u00fccher"),
    "x_scopes": None,
}
METADATA_OF_NONE = {**dict.fromkeys(METADATA), "resource": RESOURCE}

CYCLE = {"resource": RESOURCE}
CYCLE["self"] = CYCLE


class Service:
    """A source of keys that is true to its protocol, and counts as false."""

    def current(self): ...

    def key_set_for(self, kid, alg): ...

    async def akey_set_for(self, kid, alg): ...

    def __len__(self):
        return 0


class Unprintable:
    """A value whose repr raises."""

    def __repr__(self):
        raise RuntimeError("no repr")


def resolver(access_token, request): ...


async def aresolver(access_token, request): ...


class AsyncResolver:
    """An object that is called as an async function is."""

    async def __call__(self, access_token, request): ...


SERVICE = Service()
SESSION = requests.Session()
ROLE = ClaimRequirement(("role",))
HALF_A_SERVICE = SimpleNamespace(current=lambda: None, key_set_for="no method", akey_set_for=None)

NO_TEXT = ["", " ", " x", "x\n", b"x", 1, True, ["x"], {}, lazystr("x"), Unprintable()]
NO_LIST = ["x", b"x", 1, True, {}, {"x": 1}, iter(["x"])]
NO_STRINGS = [*NO_LIST, [""], [" x"], [1], [None], [b"x"], [["x"]]]
NO_SECONDS = [-1, -0.5, NAN, INFINITY, -INFINITY, True, "10", b"10", [10], 1e300, HUGE, -HUGE, 2**31 + 1]
NO_COUNT = [-1, 1.0, NAN, True, "10", [10], -HUGE]
NO_URL = [
    *NO_TEXT,
    *("as.example.com/jwks", "//as.example.com/jwks", "/jwks", "https:", "https://", "https:///jwks", "https://:443/"),
    *("ftp://as.example.com/jwks", "file:///etc/passwd", "https://user:secret@as.example.com/jwks"),
    *("https://as.example.com/jwks#keys", "https://as.example.com:port/", "https://as.example.com:99999/"),
    *("https://[::1/jwks", "https://as example.com/jwks", "https://as.example.com/jw ks", "https://as\n.example.com/"),
    *("\thttps://as.example.com/jwks", "https://as.example.com/jwks ", "https://as\x7f.example.com/"),
    *("https://as.example.com/{tenant}/jwks", "https://as.example.com\\jwks", "https://<issuer>/jwks"),
]
NO_DOTTED = [
    *("", "resolver", ".resolver", "..resolver", "a..b", "a.b ", "nowhere.at.all", "a\0.b"),
    *("tests.conf.samples.nothing", "os:path"),
]
NO_CALLABLE = [*NO_DOTTED, "tests.conf.samples.ISSUER", 1, b"x", True, ["x"], {}, object()]
NO_PATTERNS = [*NO_LIST, ["("], [1], [None], [b"x"], [re.compile(b"x")], ["a{9999999999999}"], ["(" * 5000]]
WHOLE_URLS = [["https?://as.example.com/"], ["^https://as.example.com/"], ["/a/", r"http\://as"]]
#: A path begins with "/", so none of these matches one, or nothing shows that it does.
NO_SLASH = [
    *("^api/", "api/", "books", "^/a|^health", "(a|b)/", "^open/$", r"\Aa|/b", "(?i)c", "(?i)^health/", r"\w+", "x+/b"),
    *("a(?!b)", "a(?<!b)", r"^(?P<version>a|b)/", r"\Ahealth", r"\.well-known/[a-z]+", "(?:api|admin)/[0-9]"),
    *("[^/]x", "(?!/)", "(?!/)x", "(?!.*/)x", "(?=/x)y", "(?=/)a", "(?=.)a", "(?!$)api", r"\Bapi", r"\b/x", "(?<=/)x"),
    *(
        "(api|/v2)/",
        "(?:^api/|^/v2/)",
        "(?i:^health/|^/y)",
        "^(?P<x>/a|(?:b|/c))",
        "(?>a|/b)x",
        "((^|/)a|b)",
        "(^|x/)a",
    ),
    *("(?i)^(/a|b[)]|(c))", r"(\)a|/b)", "^(?:(/a)|(b))"),
    *("$", "(?!.)", "(?#/)a", "/{0}api", "/{0,0}api", "/{,0}api", "(?:/a){00}b", r"a\/b"),
    *(re.compile("a#", re.VERBOSE), re.compile("#/a\nb", re.VERBOSE), re.compile("a", re.IGNORECASE)),
]
#: Patterns, each with a path that it matches.
WITH_SLASH = {
    "/": "/",
    "^/api/": "/api/",
    "(?i)/API/": "/api/",
    "/?api": "/api",
    "(^|/)api/": "/api/",
    "(?:^|/)api": "/api",
    r"()(\1/a|/b)[0-9]": "/b1",
    "(?!/$)(^|/)api": "/api",
    "/?(?:api|v2)/x": "/v2/x",
    "(?:api|v2)?/x[0-9]": "/x1",
    "(^|/)(?:a|b)[0-9]": "/a1",
    "((^|/)a|/b)[0-9]": "/a1",
    "(/)?(?(1)a|b)[0-9]": "/a1",
    "(?=(a|/))/b[0-9]": "/b1",
    "[(|)]?/x[0-9]": "/x1",
    r"\(?(/a|/b)[0-9]": "/a1",
    "[^x]": "/",
    "[a-z]*/x[0-9]": "/x1",
    "/a|/b": "/b",
    "(?:/a|/b)": "/b",
    "(?:/a|/b)[0-9]": "/b1",
    r"/[|]x": "/|x",
    r"/\|x": "/|x",
    "(/a|b|c)+x": "/acx",
    "(?!/api/)": "/x",
    "^(?!/api/).+x": "/x",
    "(?!/$)": "/x",
    "(?!/$)/x[0-9]": "/x1",
    "(?=/x)": "/x",
    r".*\.css$": "/a.css",
    r"[\w/]+[.]x": "/a.x",
    r"\S+x": "/x",
    r"\x2fapi": "/api",
    r"\057[a-z]": "/a",
    "(?P<a>/x)[0-9](?P=a)": "/x1/x",
    "(?i:/x)[0-9]": "/X1",
    "(?>/x)[0-9]": "/x1",
    "/?+x[0-9]": "/x1",
    r"\A/a": "/a",
    "/{1,2}api[0-9]": "/api1",
    "/{0,}a[0-9]": "/a1",
    "((((/a)[0-9])))": "/a1",
    "^/[^.]*$": "/a",
    "a?(?!/x)": "/a",
    r"/.*(?<!\.html)$": "/a",
    "(?:[^a])*?(?=/x)/x": "/x",
    "/[^_].*": "/a",
}
NOT_EVERY_PATH = [pattern for pattern in WITH_SLASH if pattern not in ("/", "[^x]")]
#: Nothing would need a token.
EVERY_PATH = ["/", "^/", "/?", "/.*", ".*", "", "^", "x*", "/a|/", "[^x]", "(?:/x)?", r"\W", ".*$", "/?$|.+"]

#: INTROSPECTION with as little as can be, and with a secret.
WITHOUT_SECRET = {"AUTH": "none", "CLIENT_ID": "api"}
WITH_SECRET = {"CLIENT_ID": "api", "CLIENT_SECRET": "hunter2"}

#: JWKs that are no use, and such as nobody should have put here.
SECRET_JWK = {"kty": "oct", "k": "c2VjcmV0"}
PRIVATE_JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "hunter2"}
PUBLIC_JWK = {name: value for name, value in PRIVATE_JWK.items() if name != "d"}

BAD = {
    "JWKS_URI": NO_URL,
    "JWKS": [
        *[
            "",
            b"x",
            1,
            True,
            [],
            [PUBLIC_JWK],
            object(),
            PUBLIC_JWK,
            Unprintable(),
            "no such file",
            "a\0b",
            ".",
            "/dev/null",
        ],
        *["https://as.example.com/jwks", '{"keys": []}', "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"],
        *[{}, {"keys": None}, {"keys": {}}, {"keys": []}, {"keys": [1]}, {"keys": [{"kty": "RSA"}]}, {1: 2}],
        *[{"keys": [jwk]} for jwk in (SECRET_JWK, PRIVATE_JWK)],
        *[{"keys": [PUBLIC_JWK, jwk]} for jwk in (SECRET_JWK, PRIVATE_JWK)],
        __file__,
    ],
    "ISSUER": NO_TEXT,
    "AUDIENCE": ["", " ", " x", [], (), set(), *NO_STRINGS[1:], lazystr("x")],
    "ISSUERS": [
        *[[], [ISSUER], "x", b"x", 1, True, {"": {}}, {1: {}}, {None: {}}, {b"x": {}}],
        *[{name: {"JWKS_URI": "https://b.example.com/jwks"}} for name in (" ", f" {ISSUER}", f"{ISSUER}\n")],
        *[{"https://b.example.com": value} for value in (None, [], "https://b.example.com/jwks", 1)],
    ],
    "ALGORITHMS": [*NO_STRINGS, [], ["none"], ["HS256"], ["RS256", "HS512"], ["rs256"], ["ES256K"], ["Ed448"]],
    "TOKEN_TYPES": [*NO_LIST, [], set(), [""], [1], [b"JWT"], [["JWT"]], [" JWT"]],
    "REQUIRED_CLAIMS": NO_STRINGS,
    "LEEWAY": NO_SECONDS,
    "REALM": [b"x", 1, True, ["x"], "b\u00fccher", "a\nb", "a\r\nX: y", "a\tb", "\x00", "\x7f", lazystr("x")],
    "SCOPE_IMPLIES": [
        *[[], "a", b"a", 1, True, [("a", "b")], {"a": None}, {"a": 1}, {"a": {"b": 1}}, {"a": [1]}, {"a": ["b c"]}],
        *[{1: ["a"]}, {None: ["a"]}, {"": ["a"]}, {"a b": ["c"]}, {"a": ["a"]}, {"a": ["b"], "b": ["c"], "c": ["a"]}],
        *[{"x": ["a"], "a": ["b"], "b": ["a"]}, {Unprintable(): ["a"]}, {"a": [Unprintable()]}, {"a": Unprintable()}],
    ],
    "SCOPE": [
        b"read",
        1,
        True,
        {},
        {"read": 1},
        ["read write"],
        [""],
        [1],
        [None],
        ['re"ad'],
        ["re\\ad"],
        "r\u00e9ad",
        Unprintable(),
        [Unprintable()],
    ],
    "CLAIMS": [
        *[Unprintable(), [Unprintable()], [{"name": Unprintable()}], [{Unprintable(): "a"}], [["a", Unprintable()]]],
        *[1, True, b"role", iter(["role"]), [1], [""], [None], [[]], [["a", 1]], [["a", ""]]],
        *[{}, [{}], [{"value": 1}], [{"name": "a", "values": [1]}], [{"name": ""}], [{"name": None}], [{"name": {}}]],
        *[[{"name": "a", "value": None}], [{"name": "a", "value": []}], [{"name": "a", "value": ["b", None]}]],
        *[[{"name": "a", "value": value}] for value in (object(), b"x", NAN, range(3), CYCLE, Unprintable())],
    ],
    "PROTECTED_PATHS": [*NO_PATTERNS, *WHOLE_URLS, *([pattern] for pattern in NO_SLASH)],
    "EXEMPT_PATHS": [*NO_PATTERNS, *WHOLE_URLS, *([pattern] for pattern in (*NO_SLASH, *EVERY_PATH))],
    "INVALID_TOKEN_STATUS": [401.0, 403.0, 400, 200, 404, 0, -401, HUGE, NAN, True, "401", b"401", [401], {}],
    "CACHE": ["", "elsewhere", b"default", 1, True, ["default"], {}],
    "JWKS_FRESH_SECONDS": NO_SECONDS,
    "JWKS_STALE_SECONDS": [*NO_SECONDS, 0, 0.0],
    "JWKS_COOLDOWN_SECONDS": NO_SECONDS,
    "HTTP_SESSION": [*NO_CALLABLE, aresolver],
    "HTTP_TIMEOUT": [*NO_SECONDS, 0, 0.0],
    "ALLOW_INSECURE_HTTP": [0, 1, "True", "", [], b"x", object()],
    "JWKS_SERVICE": [*NO_CALLABLE, "os.path", HALF_A_SERVICE, SimpleNamespace, dict, aresolver, AsyncResolver()],
    "ISSUER_RESOLVER": [*NO_CALLABLE, aresolver, AsyncResolver()],
    "USER_RESOLVER": [*NO_CALLABLE, aresolver, AsyncResolver()],
    "TOKEN_CACHE_SIZE": NO_COUNT,
    "MAX_TOKEN_LENGTH": [*NO_COUNT, 0],
    "RESOURCE_METADATA": [
        *[[], (), "x", b"x", 1, True, {}, {1: 2}, {b"resource": RESOURCE}, CYCLE, [[]], [RESOURCE], [{}]],
        *[[{"resource": RESOURCE}, {"resource": other}] for other in SAME_RESOURCES],
        *[
            {"resource": value}
            for value in (
                None,
                "",
                1,
                b"x",
                "x",
                "https://b\u00fccher.example.com",
                'https://"',
                HUGE,
                *NO_RESOURCES,
                Unprintable(),
            )
        ],
        *[{"resource": RESOURCE, "x": value} for value in (object(), b"x", NAN, {1, 2}, {("a",): 1}, Unprintable())],
        *[
            {"resource": RESOURCE, name: value}
            for name in METADATA_LISTS
            for value in ("read", [1], [None], {}, True, lazystr("a"), [lazystr("a"), " b"])
        ],
        *[{"resource": RESOURCE, name: value} for name in METADATA_TEXTS for value in (3, ["x"], {}, True)],
        *[{"resource": RESOURCE, name: value} for name in METADATA_FLAGS for value in (0, "true", [True])],
    ],
    "IS_REVOKED": [*NO_CALLABLE, aresolver, AsyncResolver()],
    "PASS_FOREIGN_TOKENS": [0, 1, "True", "", [], b"x", object()],
    "REQUIRE_BOUND_TOKENS": [0, 1, "True", "", [], b"x", object()],
    "INTROSPECTION": [
        *[[], "x", b"x", 1, True, {}, [("AUTH", "none")], {"AUTH": "none"}, {"CLIENT_ID": "api"}],
        *[{**WITHOUT_SECRET, key: 1} for key in ("client_id", "ENDPOINTS", 1, HUGE, Unprintable())],
        *[{**WITHOUT_SECRET, "ENDPOINT": value} for value in NO_URL],
        *[{**WITHOUT_SECRET, "CLIENT_ID": value} for value in (*NO_TEXT, None, "\udc80")],
        {"CLIENT_ID": "api", "CLIENT_SECRET": "\udc80"},
        {**WITHOUT_SECRET, "AUTH": None},
        *[{**WITHOUT_SECRET, "AUTH": value} for value in ("", "basic", "NONE", "client_secret_jwt", 1, ["none"])],
        *[{**WITHOUT_SECRET, "ANSWER": value} for value in ("", "JWT", "application/jwt", 1, ["jwt"])],
        *[{**WITHOUT_SECRET, "TOKENS": value} for value in ("", "ALL", "jwt", True, ["all"])],
        *[{**WITHOUT_SECRET, "CACHE_SECONDS": value} for value in NO_SECONDS],
        *[{**WITHOUT_SECRET, "NEGATIVE_CACHE_SECONDS": value} for value in NO_SECONDS],
        *[
            {"CLIENT_ID": "api", "CLIENT_SECRET": value}
            for value in ("", None, b"x", 1, True, ["x"], {}, aresolver, AsyncResolver())
        ],
        *[
            {"CLIENT_ID": "api", "PRIVATE_KEY": value}
            for value in ("", None, b"x", 1, ["x"], "no PEM", "/nowhere/key.pem", "a\0b", "-----BEGIN", ".")
        ],
        # What is missing, and what would not be used.
        *[{"CLIENT_SECRET": "hunter2"}, {"CLIENT_SECRET": "hunter2", "AUTH": "client_secret_post"}],
        *[{"CLIENT_ID": "api", "AUTH": auth} for auth in ("client_secret_basic", "client_secret_post")],
        *[{"CLIENT_ID": "api", "AUTH": "private_key_jwt"}, {**WITH_SECRET, "AUTH": "private_key_jwt"}],
        *[{**WITH_SECRET, "AUTH": "none"}, {**WITH_SECRET, "KEY_ID": "1"}, {**WITH_SECRET, "ALG": "RS256"}],
        *[{**WITHOUT_SECRET, "KEY_ID": "1"}, {**WITHOUT_SECRET, "ALG": "ES256"}, {**WITHOUT_SECRET, "ALG": "HS256"}],
    ],
    "TOKEN_PERMISSIONS": [
        *[*NO_CALLABLE[:-2], object(), aresolver, [("a", ["b.c"])], iter(["a"])],
        *[{"a": value} for value in (None, 1, "b.c", {"b.c": 1}, ["c"], [1], [""], [" b.c"], [["b.c"]])],
        *[{"a": [value]} for value in (".", "b.", ".c", "b.c d", "b..c")],
        *[{key: ["b.c"]} for key in (1, None, "", "a b", 'a"b', Unprintable())],
    ],
    "ACCOUNTS": [
        *[[], "x", b"x", 1, True, [("CREATE", True)], {"create": True}, {"FIELD": {}}, {1: 2}, {HUGE: 1}],
        *[{key: value} for key in ("CREATE", "UPDATE") for value in (None, 0, "True")],
        *[{"LINK": value} for value in (*NO_CALLABLE, aresolver, AsyncResolver())],
        *[{"USERNAME": value} for value in ("", [], [""], ["a", 1], {}, 1, True, aresolver, AsyncResolver())],
        *[{"FIELDS": value} for value in (None, [], "email", ["email"], {1: "a"}, {"": "a"}, {"email": ""})],
        *[{"FIELDS": {"email": value}} for value in (None, 1, [], ["a", ""], {"a": 1}, resolver)],
        *[{"FIELDS": {name: "a"}} for name in ("is_superuser", "is_staff", "is_active", "password", "pk", "id")],
        *[{"FIELDS": {name: "a"}} for name in ("groups", "user_permissions", "last_login")],
        *[{"GROUPS": value} for value in ([], "groups", True, {}, {"MAP": {}}, {"CLAIM": None}, {"CLAIM": ""})],
        *[{"GROUPS": {"CLAIM": "a", "MAP": value}} for value in ([], "x", {1: "a"}, {"a": 1}, {"a": [1]}, {"a": ""})],
        *[{"GROUPS": {"CLAIM": "a", "PREFIX": value}} for value in (1, "", " a", ["a"])],
        *[{"GROUPS": {"CLAIM": "a", key: value}} for key in ("CREATE", "REMOVE") for value in (None, 1, "True")],
        {"GROUPS": {"CLAIM": "a", "NAMES": {}}},
    ],
    "DPOP": [
        *[[], "x", b"x", 1, True, [("OFFER", True)], {"offer": True}, {"OFFERS": True}, {1: 2}, {HUGE: 1}],
        *[{"OFFER": value} for value in (None, 0, "True")],
        *[{"NONCE": value} for value in (None, 1, "False")],
        *[{"PROOF_SECONDS": value} for value in (*NO_SECONDS, 0, 0.0, None)],
        *[{"ALGORITHMS": value} for value in (*NO_STRINGS, None, [], ["none"], ["ES256", "HS256"], ["es256"])],
    ],
    "CLIENT_CERTIFICATE": [
        *[
            [],
            "nginx",
            b"x",
            1,
            True,
            {},
            {"TRUSTED_PROXIES": ["10.0.0.1"]},
            {"SOURCES": "wsgi"},
            {"SOURCE": "wsgi", 1: 2},
        ],
        *[
            {"SOURCE": value}
            for value in (*NO_CALLABLE, None, aresolver, AsyncResolver(), "NGINX", "ngnix", "rfc 9440")
        ],
        *[{"SOURCE": source} for source in ("rfc9440", "nginx", "envoy")],
        *[{"SOURCE": source, "TRUSTED_PROXIES": []} for source in ("rfc9440", "nginx", "envoy")],
        *[{"SOURCE": source, "TRUSTED_PROXIES": ["10.0.0.1"]} for source in ("wsgi", resolver)],
        *[{"SOURCE": "nginx", "TRUSTED_PROXIES": value} for value in (*NO_LIST, None, [1], [None], [b"unix"])],
        *[
            {"SOURCE": "nginx", "TRUSTED_PROXIES": [value]}
            for value in (
                "",
                "proxy",
                "10.0.0.1/8",
                "10.0.0.0/33",
                "10.0.0.256",
                "UNIX",
                "unix:/run/app.sock",
                "::1%eth0/x",
                "*",
            )
        ],
    ],
}

#: Keys that also take None, as if they were not there; all others refuse it.
NULLABLE = {
    *("JWKS_URI", "JWKS", "ISSUER", "AUDIENCE", "JWKS_SERVICE", "ISSUER_RESOLVER", "USER_RESOLVER", "HTTP_SESSION"),
    *("PROTECTED_PATHS", "EXEMPT_PATHS", "RESOURCE_METADATA", "CLIENT_CERTIFICATE", "INTROSPECTION"),
    "IS_REVOKED",
}
ALL_BAD = {key: [*values, *([] if key in NULLABLE else [None])] for key, values in BAD.items()}

#: Key, value, and what the settings hold for it.
GOOD = [
    ("JWKS_URI", "https://as.example.com:8443/jwks?tenant=1", "https://as.example.com:8443/jwks?tenant=1"),
    ("JWKS_URI", "HTTPS://as.example.com/jwks", "HTTPS://as.example.com/jwks"),
    ("AUDIENCE", "api", {"api"}),
    ("AUDIENCE", ["api", "other api"], {"api", "other api"}),
    ("ALGORITHMS", list(SUPPORTED_ALGORITHMS), set(SUPPORTED_ALGORITHMS)),
    ("ALGORITHMS", ("RS256", "RS256"), {"RS256"}),
    ("TOKEN_TYPES", ["AT+JWT", "application/JWT", None], {"at+jwt", "jwt", None}),
    ("REQUIRED_CLAIMS", [], ()),
    ("REQUIRED_CLAIMS", ("exp", "sub"), ("exp", "sub")),
    ("LEEWAY", 0, 0),
    ("LEEWAY", 2.5, 2.5),
    ("LEEWAY", 2**31, 2**31),
    ("REALM", "", ""),
    ("REALM", 'My "API"', 'My "API"'),
    ("SCOPE", "read write", ("read", "write")),
    ("SCOPE", [], ()),
    ("SCOPE", ["read", "https://api/write"], ("read", "https://api/write")),
    ("SCOPE_IMPLIES", {}, ScopeHierarchy({})),
    ("SCOPE_IMPLIES", {"a": ["b"], "b": "c d"}, ScopeHierarchy({"a": ["b"], "b": ["c", "d"]})),
    ("CLAIMS", [], ()),
    ("CLAIMS", "role", (ROLE,)),
    (
        "CLAIMS",
        ["role", {"name": "level", "value": 0}],
        (ClaimRequirement(("role",)), ClaimRequirement(("level",), (0,))),
    ),
    ("CLAIMS", {"name": ["a", "b"], "value": ["x", "y"]}, (ClaimRequirement(("a", "b"), ("x", "y")),)),
    ("PROTECTED_PATHS", ["^/api/"], (re.compile("^/api/"),)),
    ("PROTECTED_PATHS", EVERY_PATH, (*map(re.compile, EVERY_PATH),)),
    ("PROTECTED_PATHS", [*WITH_SLASH], (*map(re.compile, WITH_SLASH),)),
    ("PROTECTED_PATHS", ["^/api/(a|b)"], (re.compile("^/api/(a|b)"),)),
    ("EXEMPT_PATHS", ["^/open/$"], (re.compile("^/open/$"),)),
    ("EXEMPT_PATHS", [re.compile("/a", re.IGNORECASE)], (re.compile("/a", re.IGNORECASE),)),
    ("EXEMPT_PATHS", [re.compile("/a#", re.VERBOSE)], (re.compile("/a#", re.VERBOSE),)),
    ("EXEMPT_PATHS", [re.compile(" / a[0-9]", re.VERBOSE)], (re.compile(" / a[0-9]", re.VERBOSE),)),
    ("EXEMPT_PATHS", [re.compile(" /a | /b", re.VERBOSE)], (re.compile(" /a | /b", re.VERBOSE),)),
    ("EXEMPT_PATHS", [re.compile("#(b)\n/a[0-9]", re.VERBOSE)], (re.compile("#(b)\n/a[0-9]", re.VERBOSE),)),
    ("EXEMPT_PATHS", (re.compile("^/open/"),), (re.compile("^/open/"),)),
    ("EXEMPT_PATHS", [*NOT_EVERY_PATH], (*map(re.compile, NOT_EVERY_PATH),)),
    ("INVALID_TOKEN_STATUS", 401, 401),
    ("INVALID_TOKEN_STATUS", HTTPStatus.FORBIDDEN, 403),
    ("CACHE", "default", "default"),
    ("JWKS_FRESH_SECONDS", 0, 0),
    ("JWKS_FRESH_SECONDS", 0.5, 0.5),
    ("JWKS_STALE_SECONDS", 60, 60),
    ("JWKS_COOLDOWN_SECONDS", 0, 0),
    ("HTTP_SESSION", "tests.conf.samples.resolver", resolver),
    ("HTTP_SESSION", resolver, resolver),
    ("HTTP_SESSION", SESSION, SESSION),
    ("HTTP_SESSION", "tests.conf.samples.SESSION", SESSION),
    ("HTTP_SESSION", "requests.Session", requests.Session),
    ("HTTP_TIMEOUT", 1, 1),
    ("ALLOW_INSECURE_HTTP", True, True),
    ("JWKS_SERVICE", SERVICE, SERVICE),
    ("JWKS_SERVICE", "tests.conf.samples.SERVICE", SERVICE),
    ("JWKS_SERVICE", "tests.conf.samples.Service", Service),
    ("JWKS_SERVICE", resolver, resolver),
    ("ISSUER_RESOLVER", resolver, resolver),
    ("ISSUER_RESOLVER", "tests.conf.samples.resolver", resolver),
    ("USER_RESOLVER", "tests.conf.samples.resolver", resolver),
    ("TOKEN_CACHE_SIZE", 0, 0),
    ("MAX_TOKEN_LENGTH", 1, 1),
    (
        "RESOURCE_METADATA",
        {"resource": RESOURCE, "x": lazystr("y")},
        (Resource({"resource": RESOURCE, "x": lazystr("y")}),),
    ),
    ("RESOURCE_METADATA", METADATA, (Resource(METADATA),)),
    ("RESOURCE_METADATA", METADATA_OF_NONE, (Resource(METADATA_OF_NONE),)),
    (
        "RESOURCE_METADATA",
        [{"resource": RESOURCE}, {"resource": "http://127.0.0.1:8000/v1"}],
        (Resource({"resource": RESOURCE}), Resource({"resource": "http://127.0.0.1:8000/v1"})),
    ),
    ("IS_REVOKED", resolver, resolver),
    ("IS_REVOKED", "tests.conf.samples.resolver", resolver),
    ("PASS_FOREIGN_TOKENS", True, True),
    ("REQUIRE_BOUND_TOKENS", True, True),
    ("INTROSPECTION", WITHOUT_SECRET, IntrospectionSettings("api", auth="none")),
    (
        "INTROSPECTION",
        {
            **dict.fromkeys(("ENDPOINT", "CLIENT_SECRET", "PRIVATE_KEY", "ALG", "TOKENS", "CACHE_SECONDS")),
            **WITHOUT_SECRET,
        },
        IntrospectionSettings("api", auth="none"),
    ),
    (
        "INTROSPECTION",
        {**WITHOUT_SECRET, "ENDPOINT": "https://as.example.com/i?t=1", "ANSWER": "jwt", "TOKENS": "all"},
        IntrospectionSettings("api", "https://as.example.com/i?t=1", "none", wants_jwt=True, asks_about_jwts=True),
    ),
    (
        "INTROSPECTION",
        {**WITHOUT_SECRET, "ANSWER": "json", "TOKENS": "opaque", "CACHE_SECONDS": 0, "NEGATIVE_CACHE_SECONDS": 2.5},
        IntrospectionSettings("api", auth="none", cache_seconds=0, negative_cache_seconds=2.5),
    ),
    ("INTROSPECTION", {"CLIENT_ID": "api", "CLIENT_SECRET": resolver}, IntrospectionSettings("api", secret=resolver)),
    (
        "INTROSPECTION",
        {"CLIENT_ID": "api", "CLIENT_SECRET": resolver, "AUTH": "client_secret_post"},
        IntrospectionSettings("api", auth="client_secret_post", secret=resolver),
    ),
    ("TOKEN_PERMISSIONS", {}, NO_PERMISSIONS),
    (
        "TOKEN_PERMISSIONS",
        {"a": ["b.c", "b.d"], "e": ()},
        TokenPermissions({"a": frozenset({"b.c", "b.d"}), "e": frozenset()}),
    ),
    ("TOKEN_PERMISSIONS", resolver, TokenPermissions(ask=resolver)),
    ("TOKEN_PERMISSIONS", "tests.conf.samples.resolver", TokenPermissions(ask=resolver)),
    ("ACCOUNTS", {}, AccountSettings()),
    ("ACCOUNTS", {"LINK": None, "USERNAME": None, "GROUPS": None}, AccountSettings()),
    (
        "ACCOUNTS",
        {"CREATE": False, "LINK": "tests.conf.samples.resolver", "USERNAME": ["a", "b"], "UPDATE": False},
        AccountSettings(create=False, link=resolver, username=("a", "b"), update=False),
    ),
    (
        "ACCOUNTS",
        {"LINK": resolver, "USERNAME": resolver, "FIELDS": {}},
        AccountSettings(link=resolver, username=resolver, fields={}),
    ),
    (
        "ACCOUNTS",
        {"USERNAME": "https://x.test/name", "FIELDS": {"email": "email", "first_name": ("name", "given")}},
        AccountSettings(
            username=("https://x.test/name",), fields={"email": ("email",), "first_name": ("name", "given")}
        ),
    ),
    ("ACCOUNTS", {"GROUPS": {"CLAIM": "a"}}, AccountSettings(groups=GroupSettings(("a",)))),
    (
        "ACCOUNTS",
        {"GROUPS": {"CLAIM": ["a", "b"], "MAP": None, "PREFIX": None, "CREATE": True, "REMOVE": False}},
        AccountSettings(groups=GroupSettings(("a", "b"), create=True, remove=False)),
    ),
    (
        "ACCOUNTS",
        {"GROUPS": {"CLAIM": "a", "MAP": {"x": "y", "z": ["p", "q"], "": []}, "PREFIX": "sso:"}},
        AccountSettings(groups=GroupSettings(("a",), {"x": ("y",), "z": ("p", "q"), "": ()}, "sso:")),
    ),
    ("DPOP", {}, DpopSettings(False, False, 60, SUPPORTED_ALGORITHMS)),
    ("DPOP", {"OFFER": True, "PROOF_SECONDS": 5.5}, DpopSettings(offer=True, proof_seconds=5.5)),
    (
        "DPOP",
        {"NONCE": True, "ALGORITHMS": {"EdDSA", "ES256"}},
        DpopSettings(nonce=True, algorithms=("ES256", "EdDSA")),
    ),
    ("CLIENT_CERTIFICATE", {"SOURCE": "wsgi"}, ClientCertificateSettings("wsgi")),
    ("CLIENT_CERTIFICATE", {"SOURCE": "wsgi", "TRUSTED_PROXIES": []}, ClientCertificateSettings("wsgi")),
    ("CLIENT_CERTIFICATE", {"SOURCE": resolver}, ClientCertificateSettings(resolver)),
    ("CLIENT_CERTIFICATE", {"SOURCE": "tests.conf.samples.resolver"}, ClientCertificateSettings(resolver)),
    (
        "CLIENT_CERTIFICATE",
        {"SOURCE": "rfc9440", "TRUSTED_PROXIES": ("10.0.0.0/8", "2001:db8::1")},
        ClientCertificateSettings("rfc9440", (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128"))),
    ),
    (
        "CLIENT_CERTIFICATE",
        {"SOURCE": "nginx", "TRUSTED_PROXIES": ["unix", "192.0.2.1"]},
        ClientCertificateSettings("nginx", (ip_network("192.0.2.1"),), True),
    ),
    (
        "CLIENT_CERTIFICATE",
        {"SOURCE": "envoy", "TRUSTED_PROXIES": {"unix"}},
        ClientCertificateSettings("envoy", (), True),
    ),
]
