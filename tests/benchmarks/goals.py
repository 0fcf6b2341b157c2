"""What the package promises, and the figures of a run beside it."""

from .introspection_costs import JWT, OPAQUE
from .proof_costs import BOUND
from .request_costs import DRF, PLAIN, PLAIN_ASYNC
from .tenant_costs import MANY, ONE, REFUSED, UNLISTED
from .tenant_costs import WAYS as TENANT_WAYS
from .verification import ANEW, REMEMBERED

CLIENT = "PyJWT, PyJWKClient"
SIMPLEJWT = "simplejwt, JWK_URL"
_MIDDLEWARE = {"remembered": "middleware, remembered", "anew": "middleware, verified anew"}
_DRF = {"remembered": "BearerJwtAuthentication, remembered", "anew": "BearerJwtAuthentication, verified anew"}


def goals(results):
    """Return each goal with its figure, which is to be at most the limit, as far as the results have figures."""
    found = []
    for goal, figure, limit in _GOALS:
        try:
            found.append({"goal": goal, "figure": round(figure(results), 3), "limit": limit})
        except KeyError:  # a part that was left out
            continue
    return found


def _verification(alg, name):
    return lambda results: results["verification"][alg][name]["ratio"]


def _added(kind, name):
    return lambda results: results["requests"][kind][name]["ratio"]


def _per(one, other):
    return lambda results: one(results) / other(results)


def _introspected(name):
    return lambda results: results["introspection"][name]["ratio"]


def _tenants(name):
    return lambda results: results["tenants"][name]["ratio"]


def _beyond(one, other):
    return lambda results: one(results) - other(results)


def _spread(part, name):
    def largest_per_first(results):
        ratios = [cases[name]["ratio"] for cases in results["growth"][part].values()]
        return max(ratios) / ratios[0]

    return largest_per_first


def _tail(load):
    return lambda results: results["tail"][load]["p99"] / results["tail"]["expired tokens beside"]["p99"]


_GOALS = (
    ("RS256 verified anew, in bare checks", _verification("RS256", ANEW), 1.9),
    ("ES256 verified anew, in bare checks", _verification("ES256", ANEW), 1.45),
    (
        "RS256 anew, share of PyJWT with PyJWKClient",
        _per(_verification("RS256", ANEW), _verification("RS256", CLIENT)),
        0.25,
    ),
    ("RS256 remembered, in bare checks", _verification("RS256", REMEMBERED), 0.35),
    ("added to a Django view, in bare checks there, remembered", _added(PLAIN, _MIDDLEWARE["remembered"]), 0.8),
    ("added to a Django view, in bare checks there, anew", _added(PLAIN, _MIDDLEWARE["anew"]), 2.6),
    ("bound token and proof, in bare ES256 checks more", lambda results: results["proofs"][BOUND]["ratio"], 1.6),
    ("bytes that a used proof leaves in the process", lambda results: results["proof memory"], 20.0),
    (
        "opaque token, remembered, in bare checks beyond a JWT",
        _beyond(_introspected(OPAQUE), _introspected(JWT)),
        0.1,
    ),
    ("operations of the cache for one remembered there", lambda results: results["cache operations"], 1.0),
    ("added to a DRF view, in bare checks there, remembered", _added(DRF, _DRF["remembered"]), 1.2),
    ("added to a DRF view, in bare checks there, anew", _added(DRF, _DRF["anew"]), 3.0),
    ("DRF remembered, share of simplejwt", _per(_added(DRF, _DRF["remembered"]), _added(DRF, SIMPLEJWT)), 0.1),
    ("DRF anew, share of simplejwt", _per(_added(DRF, _DRF["anew"]), _added(DRF, SIMPLEJWT)), 0.2),
    *(
        (f"async per sync, Django view, {way}", _per(_added(PLAIN_ASYNC, name), _added(PLAIN, name)), 1.3)
        for way, name in _MIDDLEWARE.items()
    ),
    *((f"1 to 100 {part}, growth when verified anew", _spread(part, ANEW), 1.1) for part in ("keys", "issuers")),
    *((f"1 to 100 {part}, growth when remembered", _spread(part, REMEMBERED), 1.1) for part in ("keys", "issuers")),
    *(
        (f"1,000 resolved issuers per one, {way}", _per(_tenants(f"{MANY}, {way}"), _tenants(f"{ONE}, {way}")), 1.1)
        for way in TENANT_WAYS
    ),
    ("refused by the resolver, in bare checks beyond unlisted", _beyond(_tenants(REFUSED), _tenants(UNLISTED)), 0.1),
    ("1 to 8 threads, loss beside threads that share nothing, anew", _spread("threads", ANEW), 1.1),
    ("1 to 8 threads, loss, remembered", _spread("threads", REMEMBERED), 1.1),
    *(
        (f"99th percentile, {load}", _tail(load), 2.0)
        for load in ("made-up keys beside", "made-up keys, the server hangs")
    ),
)
