"""Image references are read as the container runtimes read them, and commands put together as Kubernetes does."""

from typing import Any

import pytest

from rescue.image import digest_of, full_command, literal, parse, running_digest

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("busybox", "docker.io/library/busybox"),
        ("busybox:1.37", "docker.io/library/busybox:1.37"),
        ("docker.io/busybox:1.37", "docker.io/library/busybox:1.37"),
        ("index.docker.io/team/shop", "docker.io/team/shop"),
        ("team/shop:1", "docker.io/team/shop:1"),
        ("team/shop/web", "docker.io/team/shop/web"),
        ("ghcr.io/team/shop:1", "ghcr.io/team/shop:1"),
        ("localhost/shop", "localhost/shop"),
        ("localhost:5000/shop:1", "localhost:5000/shop:1"),
        ("registry:5000/team/shop", "registry:5000/team/shop"),
        ("[::1]:5000/shop:1", "[::1]:5000/shop:1"),
        (f"busybox:1.37@{DIGEST}", f"docker.io/library/busybox:1.37@{DIGEST}"),
        (f"registry:5000/shop@{DIGEST}", f"registry:5000/shop@{DIGEST}"),
    ],
)
def test_a_reference_is_completed_as_runtimes_do(text: str, full: str) -> None:
    assert str(parse(text)) == full
    assert str(parse(full)) == full


def test_a_digest_counts_more_than_a_tag_and_nothing_means_latest() -> None:
    assert parse(f"shop:1@{DIGEST}").version == DIGEST
    assert parse("shop:1").version == "1"
    assert parse("shop").version == "latest"


def test_the_hub_answers_under_another_name() -> None:
    assert parse("busybox").api_host == "registry-1.docker.io"
    assert parse("quay.io/a/b").api_host == "quay.io"


@pytest.mark.parametrize(
    ("image", "loopback"),
    [
        ("localhost:5000/a", True),
        ("127.0.0.1:5000/a", True),
        ("127.9.9.9/a", True),
        ("[::1]:5000/a", True),
        ("localhost.example/a", False),
        ("10.0.0.1:5000/a", False),
        ("busybox", False),
    ],
)
def test_only_this_machine_is_loopback(image: str, loopback: bool) -> None:
    assert parse(image).is_loopback is loopback


@pytest.mark.parametrize(
    ("image_id", "digest"),
    [
        (f"docker.io/library/shop@{DIGEST}", DIGEST),
        (f"docker-pullable://shop@{DIGEST}", DIGEST),
        (DIGEST, DIGEST),
        ("a" * 64, DIGEST),
        ("docker://" + DIGEST, DIGEST),
        ("shop:1", ""),
        ("", ""),
    ],
)
def test_the_digest_of_a_status(image_id: str, digest: str) -> None:
    assert digest_of(image_id) == digest


def test_an_init_containers_digest_is_found_too_and_a_pod_without_status_has_none() -> None:
    init, web = {"name": "i", "image": "i:1"}, {"name": "web", "image": "web"}
    status = {"containerStatuses": [{**web, "imageID": ""}], "initContainerStatuses": [{**init, "imageID": DIGEST}]}
    assert running_digest({"status": status}, init) == DIGEST
    assert running_digest({"status": status}, web) == ""
    assert running_digest({}, web) == ""


@pytest.mark.parametrize(
    ("image", "ran", "known"),
    [
        ("shop:1", "docker.io/library/shop:1", True),
        ("shop:2", "docker.io/library/shop:1", False),  # kubectl set image pod/…, and the new one was not pulled yet
        ("shop", "docker.io/library/shop:latest", True),
        ("shop:1", DIGEST, True),  # a runtime may report an image without its name
        ("shop:2", "registry.example/other:1", True),  # or by another of its names
    ],
)
def test_a_digest_of_an_image_that_was_replaced_is_not_taken(image: str, ran: str, known: bool) -> None:
    pod = {"status": {"containerStatuses": [{"name": "a", "image": ran, "imageID": DIGEST}]}}
    assert running_digest(pod, {"name": "a", "image": image}) == (DIGEST if known else "")


# What containerd does (internal/cri/opts, WithProcessArgs) where the pod sets no command.
@pytest.mark.parametrize(
    ("args", "config", "argv", "made_of"),
    [
        (None, {"Entrypoint": ["/e"], "Cmd": ["c"]}, ("/e", "c"), "ENTRYPOINT and CMD"),
        (["a"], {"Entrypoint": ["/e"], "Cmd": ["c"]}, ("/e", "a"), "ENTRYPOINT and the pod's args"),
        ([], {"Entrypoint": ["/e"], "Cmd": ["c"]}, ("/e", "c"), "ENTRYPOINT and CMD"),
        (None, {"Entrypoint": None, "Cmd": ["c", "d"]}, ("c", "d"), "CMD"),
        (["a"], {"Cmd": ["c"]}, ("a",), "the pod's args"),
        (None, {"Entrypoint": ["/e"], "Cmd": None}, ("/e",), "ENTRYPOINT"),
        (None, {"Entrypoint": ["/bin/sh", "-c", "exec $APP"]}, ("/bin/sh", "-c", "exec $$APP"), "ENTRYPOINT"),
        (None, {"Entrypoint": [], "Cmd": []}, (), ""),
        (None, {}, (), ""),
    ],
)
def test_image_and_args_make_the_command(args: Any, config: Any, argv: tuple[str, ...], made_of: str) -> None:
    assert full_command({"name": "web", "args": args}, config) == (argv, made_of)


def test_kubernetes_expands_what_the_pod_says_and_not_what_the_image_says() -> None:
    argv, _ = full_command({"args": ["$(PORT)", "$$x"]}, {"Entrypoint": ["/e", "$(PORT)"]})
    assert argv == ("/e", "$$(PORT)", "$(PORT)", "$$x")


def test_a_literal_word_survives_the_expansion() -> None:
    assert literal(["$(HOME) $$ $", "plain"]) == ("$$(HOME) $$$$ $$", "plain")
