"""A registry is offered the logins that the kubelet would find, in its order, and no others."""

import base64
from typing import Any

import pytest

from rescue.credentials import Credential, document, helper_of, matches, matching
from rescue.image import parse


def auth(user: str, password: str) -> dict[str, Any]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def users(auths: dict[str, Any], image: str) -> list[str]:
    """The users that the image is tried with."""
    return [login.user for login in matching([document({"auths": auths}, "test")], parse(image))]


@pytest.mark.parametrize(
    ("key", "image", "wanted"),
    [
        ("registry.example", "registry.example/team/shop", True),
        ("https://registry.example", "registry.example/team/shop", True),
        ("https://registry.example/v2/", "registry.example/team/shop", True),
        ("registry.example/team", "registry.example/team/shop", True),
        ("registry.example/team/shop", "registry.example/team/shop", True),
        ("registry.example/tea", "registry.example/team/shop", True),  # a prefix, as in the kubelet
        ("registry.example/other", "registry.example/team/shop", False),
        ("registry.example:5000", "registry.example/team/shop", False),
        ("registry.example", "registry.example:5000/team/shop", False),
        ("*.example", "registry.example/team/shop", True),
        ("*.example", "a.registry.example/shop", False),  # a glob is for one label
        ("*.*.example", "a.registry.example/shop", True),
        ("reg*.example:5000", "registry.example:5000/shop", True),
        ("*", "registry.example/shop", False),
        ("https://index.docker.io/v1/", "busybox", True),
        ("index.docker.io", "team/shop", True),
        ("docker.io", "busybox", True),
        ("registry-1.docker.io", "busybox", True),
        ("docker.io/team", "busybox", False),
        ("https://index.docker.io/v1/", "ghcr.io/team/shop", False),
        ("registry.example/team/v1/shop", "registry.example/team/v1/shop", True),
    ],
)
def test_a_key_is_for_an_image(key: str, image: str, wanted: bool) -> None:
    assert users({key: auth("me", "x")}, image) == (["me"] if wanted else [])


def test_the_more_specific_key_comes_first() -> None:
    auths = {
        "*.example": auth("glob", "x"),
        "registry.example": auth("host", "x"),
        "registry.example/team": auth("team", "x"),
    }
    assert users(auths, "registry.example/team/shop") == ["team", "host", "glob"]


def test_of_two_documents_the_first_comes_first() -> None:
    documents = [document({"auths": {"r.example": auth(name, "x")}}, name) for name in ("one", "two")]
    assert [login.source for login in matching(documents, parse("r.example/shop"))] == ["one", "two"]


@pytest.mark.parametrize(
    ("entry", "login"),
    [
        (auth("me", "p:w"), ("me", "p:w")),
        ({"auth": base64.b64encode(b"me:password").decode().rstrip("=")}, ("me", "password")),
        ({"username": "me", "password": "p"}, ("me", "p")),
        ({"username": "old", "password": "old", **auth("me", "new")}, ("me", "new")),
    ],
)
def test_both_spellings_of_a_login_are_read(entry: dict[str, Any], login: tuple[str, str]) -> None:
    found = matching([document({"auths": {"r.example": entry}}, "s")], parse("r.example/shop"))
    assert [(one.user, one.password) for one in found] == [login]


@pytest.mark.parametrize("entry", [{}, {"auth": "%%%"}, {"auth": "bm9jb2xvbg=="}, {"auth": "/w=="}, "text", None])
def test_what_nobody_can_read_is_left_out(entry: Any) -> None:
    assert users({"r.example": entry}, "r.example/shop") == []


@pytest.mark.parametrize("content", [None, [], "x", {}, {"auths": []}, {"auths": None}])
def test_a_document_without_logins_has_none(content: Any) -> None:
    assert matching([document(content, "s")], parse("shop")) == []


def test_a_refresh_token_is_a_login_without_a_user() -> None:
    auths = {"r.example": {"identitytoken": "t"}}
    assert matching([document({"auths": auths}, "s")], parse("r.example/shop"))[0].identity == "t"


def test_a_login_is_never_shown() -> None:
    login = Credential("me", "secret-password", "secret-token", "Secret x")
    secret = document({"auths": {"r.example": {"password": "secret-password"}}}, "Secret x")
    assert "secret-" not in f"{login!r} {login} {secret!r} {secret}"
    assert "Secret x" in f"{login}"


def test_docker_asks_the_helper_of_the_host_before_the_one_for_all() -> None:
    config = {"credHelpers": {"ghcr.io": "gh"}, "credsStore": "desktop"}
    assert list(helper_of(config, parse("ghcr.io/a/b"))) == [("gh", "ghcr.io"), ("desktop", "ghcr.io")]
    assert next(helper_of(config, parse("busybox"))) == ("desktop", "https://index.docker.io/v1/")
    assert list(helper_of({}, parse("busybox"))) == []


def test_ports_of_ipv6_hosts_count() -> None:
    assert matches("[::1]:5000", parse("[::1]:5000/shop"))
    assert not matches("[::1]:5001", parse("[::1]:5000/shop"))
