"""The user without a database: who a token speaks for where the project has no resolver."""

import asyncio

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, PermissionsMixin
from django.template import Context, Template
from rest_framework.permissions import DjangoModelPermissions, DjangoObjectPermissions
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIRequestFactory
from rest_framework.viewsets import ModelViewSet

from django_oauth_jwt.authentication import BearerJwtAuthentication
from django_oauth_jwt.users import TokenUser
from django_oauth_jwt.verification import verify_token


@pytest.fixture
def token_user(issuer):
    """Make a token user from claims."""
    return lambda **claims: TokenUser(verify_token(issuer.token(**claims)))


@pytest.mark.parametrize(
    ("claims", "name", "pk"),
    [
        ({}, "user-1", "user-1"),
        ({"sub": None}, "client-1", None),
        ({"sub": ""}, "client-1", None),
        ({"sub": None, "client_id": None}, "", None),
    ],
)
def test_a_token_user_is_named_after_the_subject_or_else_the_client(token_user, claims, name, pk):
    """Logs and templates have a name to show; a key has the user of a subject alone."""
    user = token_user(**claims)
    assert user.get_username() == str(user) == name
    assert repr(user) == f"<TokenUser {name!r}>"
    assert user.username == (name or None)
    assert (user.pk, user.id) == (pk, pk)


@pytest.mark.parametrize("claims", [{"sub": None}, {"sub": ""}, {"sub": None, "client_id": None}])
def test_a_token_user_without_subject_equals_itself_alone(issuer, token_user, claims):
    """Many people may use one client: what belongs to one of them belongs to none of the others."""
    user, other = token_user(**claims), token_user(**claims)
    same_token = TokenUser(user.access_token)
    assert user == user  # noqa: PLR0124  # it is compared with itself on purpose
    assert user != other
    assert other != user
    assert user != same_token
    assert len({user, other, same_token}) == 3
    assert {user: "found"}[user] == "found"
    assert user != token_user(sub="client-1")
    assert token_user(sub="client-1") != user


def test_a_token_user_has_what_code_expects_of_a_user(token_user):
    """Somebody, active, and without any of Django's own permissions."""
    user = token_user()
    assert (user.is_authenticated, user.is_anonymous, user.is_active) == (True, False, True)
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert not user.has_perm("app.add_book")
    assert not user.has_perms(["app.add_book"])
    assert user.has_perms([])
    assert not user.has_module_perms("app")
    assert user.access_token.subject == "user-1"


def test_token_users_are_equal_by_issuer_and_subject(token_user, rsa_issuer):
    """Two tokens of one user are one user; the same subject of another issuer is not."""
    alice = token_user(sub="alice")
    assert alice == token_user(sub="alice")
    assert len({alice, token_user(sub="alice"), token_user(sub="bob")}) == 2
    assert alice != token_user(sub="bob")
    assert alice != "alice"
    with rsa_issuer.installed(ISSUER="https://other.example.com"):
        assert alice != token_user(sub="alice", iss="https://other.example.com")


CLAIMS = {"email": "anna@example.com", "given_name": "Anna", "family_name": "Berg"}


class TestNames:
    """What else the token says of its subject, as Django's own user has it."""

    def test_claims_of_openid_connect(self, token_user):
        """They describe; they identify nobody."""
        user = token_user(**CLAIMS)
        assert (user.email, user.first_name, user.last_name) == ("anna@example.com", "Anna", "Berg")
        assert (user.get_short_name(), user.get_full_name()) == ("Anna", "Anna Berg")
        assert token_user(**CLAIMS, name="Dr Berg").get_full_name() == "Dr Berg"

    @pytest.mark.parametrize("value", [None, 5, ["a"], {"a": "b"}])
    def test_claims_of_another_type_are_none(self, token_user, value):
        """A template shows nothing then."""
        user = token_user(**dict.fromkeys((*CLAIMS, "name"), value))
        assert (user.email, user.first_name, user.get_full_name()) == ("", "", "")


def test_a_token_user_has_every_name_that_django_asks_for(token_user):
    """Those of its own user that is not stored, and those about permissions, whatever a new Django adds."""
    asked = {name for kind in (AnonymousUser, PermissionsMixin) for name in vars(kind) if not name.startswith("_")}
    assert {"has_perm", "ahas_perm", "get_all_permissions", "groups", "is_staff"} <= asked
    user = token_user()
    assert {name for name in asked - {"Meta"} if not hasattr(user, name)} == set()


def test_a_token_user_is_not_stored(token_user):
    """It has no groups, no password, and cannot be saved; nobody asks a database."""
    user = token_user()
    assert list(user.groups.all()) == list(user.user_permissions.all()) == []
    assert (user.groups.model, user.user_permissions.model) == (Group, Permission)
    assert not user.has_usable_password()
    for method in ("save", "delete", "set_password", "set_unusable_password", "check_password", "asave"):
        with pytest.raises(NotImplementedError, match=r"contrib\.accounts"):
            getattr(user, method)()


PERMISSIONS = {"books.write": ["books.add_book", "books.change_book"], "books.read": ["books.view_book"], "x": []}


@pytest.fixture
def permitted(trust, rsa_issuer):
    """The user of a token with these scopes, under TOKEN_PERMISSIONS and other settings."""

    def permitted(scope, permissions=PERMISSIONS, **more):
        trust(TOKEN_PERMISSIONS=permissions, **more)
        return TokenUser(verify_token(rsa_issuer.token(scope)))

    return permitted


class TestPermissions:
    """TOKEN_PERMISSIONS says which of Django's permissions a token grants."""

    def test_scopes_grant_them(self, permitted):
        """All of its scopes together, and no others."""
        user = permitted("books.write other")
        assert user.get_all_permissions() == user.get_user_permissions() == {"books.add_book", "books.change_book"}
        assert user.get_group_permissions() == set()
        assert user.has_perm("books.add_book")
        assert not user.has_perm("books.view_book")
        assert user.has_perms(["books.add_book", "books.change_book"])
        assert not user.has_perms(["books.add_book", "books.view_book"])
        assert user.has_module_perms("books")
        assert not user.has_module_perms("book")
        assert not permitted("x").has_module_perms("books")

    def test_a_broader_scope_grants_what_the_narrower_does(self, permitted):
        """As SCOPE_IMPLIES says."""
        user = permitted("admin", SCOPE_IMPLIES={"admin": ["books.write"], "books.write": ["books.read"]})
        assert user.has_perms(["books.add_book", "books.view_book"])

    def test_none_is_for_one_object_alone(self, permitted):
        """As Django's ModelBackend has it: who grants those is the project's own backend."""
        user = permitted("books.write")
        assert not user.has_perm("books.add_book", object())
        assert not user.has_perms(["books.add_book"], object())
        assert user.get_all_permissions(object()) == set()

    @pytest.mark.parametrize("single", ["books.add_book", 5])
    def test_a_single_one_is_no_list(self, permitted, single):
        """Each letter would be a permission; Django raises the same."""
        with pytest.raises(ValueError, match="perm_list must be an iterable"):
            permitted("books.write").has_perms(single)

    def test_what_is_returned_is_the_callers_own(self, permitted):
        """Adding to it grants nothing."""
        user = permitted("books.read")
        user.get_all_permissions().add("books.delete_book")
        assert not user.has_perm("books.delete_book")

    def test_a_callable_is_asked_once(self, permitted):
        """With the token, whatever is in it."""
        asked = []
        user = permitted("a", lambda token: asked.append(token) or (f"books.{scope}" for scope in token.scopes))
        assert user.has_perm("books.a")
        assert not user.has_perm("books.b")
        assert [token.subject for token in asked] == ["user-1"]

    @pytest.mark.parametrize("found", [None, "books.add_book", 5, True, [5], ["a", None]], ids=repr)
    def test_a_callable_that_returns_something_else_is_a_mistake(self, permitted, found):
        """Nobody is let in by it, and the developer is told."""
        with pytest.raises(TypeError, match="TOKEN_PERMISSIONS must return strings in an iterable, not a"):
            permitted("a", lambda token: found).has_perm("a")

    def test_the_async_twins_say_the_same(self, permitted):
        """Each in turn, by the name with an a."""
        user = permitted("books.write")
        calls = {
            "has_perm": ("books.add_book",),
            "has_perms": (["books.add_book"],),
            "has_module_perms": ("books",),
            "get_user_permissions": (),
            "get_group_permissions": (),
            "get_all_permissions": (),
        }
        for name, arguments in calls.items():
            assert asyncio.run(getattr(user, f"a{name}")(*arguments)) == getattr(user, name)(*arguments)
        assert not asyncio.run(user.ahas_perm("books.add_book", object()))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "scope", "status"),
    [("GET", "", 200), ("POST", "", 403), ("POST", "groups", 400), ("PUT", "groups", 403), ("DELETE", "", 403)],
)
@pytest.mark.parametrize("kind", [DjangoModelPermissions, DjangoObjectPermissions])
def test_model_permissions_ask_the_token(trust, rsa_issuer, kind, method, scope, status):
    """DRF's own classes work with it; 400 is the serializer's, so the permission was granted."""

    class GroupSerializer(ModelSerializer):
        class Meta:
            model = Group
            fields = ("name",)

    class Groups(ModelViewSet):
        queryset = Group.objects.all()
        serializer_class = GroupSerializer
        authentication_classes = (BearerJwtAuthentication,)
        permission_classes = (kind,)

    trust(TOKEN_PERMISSIONS={"groups": ["auth.add_group"]})
    view = Groups.as_view({"get": "list", "post": "create", "put": "update", "delete": "destroy"})
    request = getattr(APIRequestFactory(), method.lower())("/", headers=rsa_issuer.headers(scope))
    assert view(request, pk=1).status_code == status


def test_a_template_stores_nobody(token_user):
    """Django calls what it finds in a template, but for what says that it changes something."""
    template = Template("{{ user.save }}{{ user.delete }}{{ user.set_unusable_password }}{{ user.username }}")
    assert template.render(Context({"user": token_user()})) == "user-1"
