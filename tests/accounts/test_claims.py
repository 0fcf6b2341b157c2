"""Fields and groups, kept as the claims say; what does not fit refuses the token, and is no error of the server's."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_oauth_jwt.contrib.accounts.fields import fitting
from django_oauth_jwt.contrib.accounts.models import FederatedIdentity
from django_oauth_jwt.errors import InvalidToken

pytestmark = pytest.mark.django_db
FIELDS = {"email": "email", "first_name": "given_name", "last_name": ["name", "family"]}
MIDDLEWARE = "django_oauth_jwt.middleware.JwtBearerMiddleware"


def writes(queries):
    """Return the first words of the statements that change something, without savepoints."""
    words = [query["sql"].split()[0] for query in queries]
    return [word for word in words if word in ("INSERT", "UPDATE", "DELETE")]


class TestFields:
    """FIELDS: which claim is which field."""

    def test_by_default_the_email_alone_is_kept(self, issuer, user_of):
        """Whatever else the token says of the person."""
        user = user_of(sub="1", email="Anna@EXAMPLE.com", given_name="Anna")
        assert (user.email, user.first_name) == ("Anna@example.com", "")

    def test_an_email_is_kept_as_django_spells_it(self, issuer, user_of):
        """The host's name in lower case, at first and later."""
        user_of(sub="1", email="anna@example.com")
        assert user_of(sub="1", email="Anna@EXAMPLE.org").email == "Anna@example.org"

    def test_what_is_absent_or_null_changes_nothing(self, with_accounts, user_of):
        """Access tokens often say less than the one before."""
        with_accounts(FIELDS=FIELDS)
        user_of(sub="1", email="a@example.com", given_name="Anna", name={"family": "B"})
        user = user_of(sub="1", name="no object")
        assert (user.email, user.first_name, user.last_name) == ("a@example.com", "Anna", "B")

    def test_a_change_is_written_once_and_nothing_else_is(self, with_accounts, user_of):
        """What the project has changed in other fields stays."""
        with_accounts(FIELDS=FIELDS)
        user = user_of(sub="1", email="a@example.com", given_name="Anna")
        get_user_model().objects.filter(pk=user.pk).update(last_name="of the project")
        for expected in (["UPDATE", "UPDATE"], []):
            with CaptureQueriesContext(connection) as queries:
                user = user_of(sub="1", email="a@example.com", given_name="Anne")
            assert writes(queries) == expected
        assert (user.first_name, user.last_name) == ("Anne", "of the project")

    def test_a_claim_that_changes_to_what_is_there_writes_the_identity_alone(self, with_accounts, user_of):
        """The user is as the claims say already."""
        with_accounts(FIELDS=FIELDS)
        user_of(sub="1", given_name="Anna")
        get_user_model().objects.update(first_name="Anne")
        with CaptureQueriesContext(connection) as queries:
            user_of(sub="1", given_name="Anne")
        assert writes(queries) == ["UPDATE"]

    def test_without_update_new_users_alone_have_them(self, with_accounts, user_of):
        """From then on they are the project's."""
        with_accounts(UPDATE=False)
        user_of(sub="1", email="a@example.com")
        assert user_of(sub="1", email="b@example.com").email == "a@example.com"

    def test_a_change_of_the_settings_counts_with_the_next_token(self, with_accounts, user_of):
        """Though the token is the same."""
        claims = {"sub": "1", "email": "a@example.com", "given_name": "Anna"}
        with_accounts()
        assert user_of(**claims).first_name == ""
        with_accounts(FIELDS=FIELDS)
        assert user_of(**claims).first_name == "Anna"

    def test_a_name_that_is_too_long_is_cut(self, with_accounts, user_of):
        """It only describes the user."""
        with_accounts(FIELDS=FIELDS)
        assert user_of(sub="1", given_name="x" * 1000).first_name == "x" * 150

    @pytest.mark.parametrize("name", ["nothing", "id", "logentry"])
    def test_a_field_that_no_claim_can_set_is_refused(self, with_accounts, refusal_of, name):
        """The check says so before; a key is another user's row. A relation's is tried in `other_user_model`."""
        with_accounts(FIELDS={f"{name}_" if name == "id" else name: "x"})
        assert "that a claim can set" in refusal_of(sub="1", x="y")


def fields():
    """Fields that a user model may have, each with values that it does not take."""
    return [
        (models.DateField(), [5, "yesterday", True, 1.5, [], {}]),
        (models.DateTimeField(), [5, "x", True]),
        (models.IntegerField(), ["x", 10**400, [1], {"a": 1}]),
        (models.FloatField(), ["x", 10**400]),
        (models.DecimalField(max_digits=5, decimal_places=2), ["x", 123456]),
        (models.BooleanField(), ["perhaps", 5]),
        (models.UUIDField(), ["x", -1, 1.5]),
        (models.GenericIPAddressField(), ["x", "a\0b"]),
        (models.URLField(max_length=30), ["x", "https://example.com/" + "x" * 30]),
        (models.SlugField(max_length=5), ["a b", "x" * 6]),
        (models.CharField(max_length=5, unique=True), ["x" * 6, 5]),
        (models.CharField(choices=[("a", "A")], max_length=1), ["b"]),
        (models.TextField(), [5, ""]),
        (models.JSONField(), [{"a": "b"}, ["a"]]),  # there could be a NUL anywhere in it
    ]


@pytest.mark.parametrize(("field", "bad"), fields(), ids=lambda value: type(value).__name__)
def test_a_value_that_a_field_does_not_take_is_refused(field, bad):
    """Whatever its type raises; what identifies or leads somewhere is not cut."""
    field.set_attributes_from_name("level")
    for value in bad:
        with pytest.raises(InvalidToken) as caught:
            fitting(field, value, get_user_model()(), "level")
        assert caught.value.detail.startswith("the claim level ")


def test_a_claim_writes_no_lines_into_the_log():
    """Django quotes what it refuses."""
    with pytest.raises(InvalidToken) as caught:
        fitting(models.UUIDField(), "x\n\x1b[2J" * 1000, get_user_model()(), "level")
    assert "x??[2Jx" in caught.value.detail
    assert len(caught.value.detail) == 500


BAD_CLAIMS = {
    "an e-mail that is a number": {"email": 5},
    "an e-mail that is an object": {"email": {"a": "b"}},
    "an e-mail that is true": {"email": True},
    "an e-mail that is none": {"email": "none"},
    "an e-mail that is too long": {"email": f"{'x' * 250}@example.com"},
    "an e-mail with NUL": {"email": "a\0@example.com"},
    "a name with NUL": {"given_name": "a\0b"},
    "a name that is an array": {"given_name": ["a"]},
    "groups that are a number": {"groups": 5},
    "groups that are an object": {"groups": {"a": "b"}},
    "groups that are no strings": {"groups": ["a", 5]},
    "a group that does not exist": {"groups": ["nowhere"]},
    "a group of a name that is too long": {"groups": ["x" * 151]},
    "a group of a name that is empty": {"groups": [""]},
    "a group with NUL": {"groups": ["a\0b"]},
    "a subject that is too long": {"sub": "x" * 256},
    "a subject with NUL": {"sub": "a\0b"},
}


@pytest.mark.parametrize("claims", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "new"])
class TestBadClaims:
    """Each refuses the token of a new person and of a known one, changes nothing, and is named in the log."""

    @pytest.fixture(autouse=True)
    def _known(self, with_accounts, user_of, is_known):
        with_accounts(FIELDS=FIELDS, GROUPS={"CLAIM": "groups"})
        if is_known:
            user_of(sub="1", email="a@example.com")

    def test_at_the_resolver(self, refusal_of, claims, is_known):
        """With the cause in the refusal's detail."""
        assert refusal_of(**{"sub": "1", **claims})
        assert list(get_user_model().objects.values_list("email", flat=True)) == ["a@example.com"] * is_known

    @pytest.mark.parametrize("entrance", ["drf", "plain"])
    def test_at_an_entrance(self, rsa_issuer, settings, caplog, claims, entrance, is_known):
        """A refusal, and never a 500."""
        settings.MIDDLEWARE = [MIDDLEWARE] if entrance == "plain" else []
        response = Client().get(f"/{entrance}/", headers=rsa_issuer.headers(**{"sub": "1", **claims}))
        assert response.status_code == 403
        assert "Token belongs to no user" in response["WWW-Authenticate"]
        (record,) = [record for record in caplog.records if record.name == "django_oauth_jwt"]
        assert record.levelname == "WARNING"
        assert record.message.startswith("No user for ")
        assert "\0" not in record.message


@pytest.fixture
def groups_of(user_of):
    """The names of the groups of the user of these claims."""
    return lambda **claims: sorted(user_of(sub="1", **claims).groups.values_list("name", flat=True))


@pytest.fixture
def _groups():
    for name in ("editors", "readers", "sso:editors", "sso:readers", "own"):
        Group.objects.create(name=name)


@pytest.mark.usefixtures("_groups")
class TestGroups:
    """GROUPS: which claim says in which groups a user is."""

    def test_a_claim_names_them(self, with_accounts, groups_of):
        """They are there already; who is not named any more is out."""
        with_accounts(GROUPS={"CLAIM": "groups"})
        assert groups_of(groups=["editors", "readers", "editors"]) == ["editors", "readers"]
        assert groups_of(groups=["readers"]) == ["readers"]
        assert groups_of(groups="editors") == ["editors"]
        assert groups_of() == []

    def test_a_path_leads_to_nested_claims(self, with_accounts, groups_of):
        """As Keycloak's."""
        with_accounts(GROUPS={"CLAIM": ["realm_access", "roles"]})
        assert groups_of(realm_access={"roles": ["editors"]}) == ["editors"]
        assert groups_of(realm_access="none") == []

    def test_with_a_map_only_its_values_count(self, with_accounts, user_of, groups_of):
        """Others mean nothing here, whether or not there is such a group; groups that it does not name stay."""
        with_accounts(GROUPS={"CLAIM": "roles", "MAP": {"boss": ["editors", "readers"], "guest": "readers"}})
        assert groups_of(roles=["boss", "own", "offline_access"]) == ["editors", "readers"]
        user_of(sub="1", roles=["boss"]).groups.add(Group.objects.get(name="own"))
        assert groups_of(roles=["guest"]) == ["own", "readers"]

    def test_with_a_prefix_only_groups_that_have_it_are_touched(self, with_accounts, user_of, groups_of):
        """So the project's own groups are nobody's claim."""
        with_accounts(GROUPS={"CLAIM": "groups", "PREFIX": "sso:"})
        user_of(sub="1").groups.add(Group.objects.get(name="own"))
        assert groups_of(groups=["editors"]) == ["own", "sso:editors"]
        assert groups_of(groups=[]) == ["own"]

    def test_a_map_and_a_prefix_go_together(self, with_accounts, user_of, groups_of):
        """The map's names have the prefix, too."""
        with_accounts(GROUPS={"CLAIM": "roles", "MAP": {"boss": ["editors"]}, "PREFIX": "sso:"})
        assert groups_of(roles=["boss"]) == ["sso:editors"]
        user_of(sub="1", roles=["boss"]).groups.add(Group.objects.get(name="sso:readers"))
        assert groups_of(roles=[]) == ["sso:readers"]

    def test_a_map_that_changes_counts_with_the_next_token(self, with_accounts, groups_of):
        """Though the token is the same."""
        with_accounts(GROUPS={"CLAIM": "roles", "MAP": {"boss": "editors"}})
        assert groups_of(roles=["boss"]) == ["editors"]
        with_accounts(GROUPS={"CLAIM": "roles", "MAP": {"boss": ["editors", "readers"]}})
        assert groups_of(roles=["boss"]) == ["editors", "readers"]

    @pytest.mark.parametrize("name", ["x" * 151, "a\0b"])
    def test_create_makes_none_whose_name_is_none(self, with_accounts, refusal_of, name):
        """A database would cut it, or raise."""
        with_accounts(GROUPS={"CLAIM": "groups", "CREATE": True})
        assert refusal_of(sub="1", groups=["new", name]).endswith("is no name of a group")
        assert not Group.objects.filter(name="new").exists()

    def test_create_makes_those_that_are_missing(self, with_accounts, groups_of):
        """Where the project says so."""
        with_accounts(GROUPS={"CLAIM": "groups", "CREATE": True})
        assert groups_of(groups=["new", "editors"]) == ["editors", "new"]
        assert groups_of(groups=["newer", "new"]) == ["new", "newer"]

    def test_a_new_user_is_not_made_where_a_group_is_missing(self, with_accounts, refusal_of):
        """Neither is a user nor an identity left behind."""
        with_accounts(GROUPS={"CLAIM": "groups"})
        assert refusal_of(sub="1", groups=["editors", "b", "a"]) == "there is no group 'a'"

    def test_without_remove_nobody_leaves(self, with_accounts, groups_of):
        """Groups are given and never taken."""
        with_accounts(GROUPS={"CLAIM": "groups", "REMOVE": False})
        assert groups_of(groups=["editors"]) == ["editors"]
        assert groups_of(groups=["readers"]) == ["editors", "readers"]

    def test_without_update_new_users_alone_are_put_into_groups(self, with_accounts, groups_of):
        """From then on the project decides."""
        with_accounts(GROUPS={"CLAIM": "groups"}, UPDATE=False)
        assert groups_of(groups=["editors"]) == ["editors"]
        assert groups_of(groups=["readers"]) == ["editors"]

    def test_a_bad_group_keeps_the_fields_as_they_were(self, with_accounts, user_of, refusal_of):
        """All of a token's claims are taken, or none."""
        with_accounts(GROUPS={"CLAIM": "groups"})
        user_of(sub="1", email="a@example.com")
        before = FederatedIdentity.objects.get().claims_digest
        refusal_of(sub="1", email="b@example.com", groups=["nowhere"])
        assert get_user_model().objects.get().email == "a@example.com"
        assert FederatedIdentity.objects.get().claims_digest == before
