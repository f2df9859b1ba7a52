"""A container that was never started: what is missing or refused is named from manifest, objects and words."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from rescue.diagnosis.diagnose import examine
from rescue.diagnosis.evidence import CaseFiles
from rescue.model import Confidence, Finding

READ: Any = {
    "unreadable": {},
    "configMaps": {"env": ["mode", "port"]},
    "secrets": {"db": ["username", "password"]},
    "persistentVolumeClaims": {},
    "names": {"secrets": ["database", "db"]},
}
UNREAD: Any = {"unreadable": {"secrets": "secrets is forbidden", "configmaps": "configmaps is forbidden"}}


def case(reason: str, message: str, container: Any, objects: Any = READ, **spec: Any) -> CaseFiles:
    """The case of a container ``web`` that waits for ``reason``."""
    state = {"waiting": {"reason": reason, "message": message}}
    pod = {
        "metadata": {"name": "web-0", "namespace": "shop"},
        "spec": {"nodeName": "node1", "containers": [{"name": "web", "image": "shop:1", **container}], **spec},
        "status": {"containerStatuses": [{"name": "web", "state": state, "lastState": {}}]},
    }
    return CaseFiles(container="web", pod=pod, objects=objects)


def with_events(inputs: CaseFiles, *events: tuple[str, str]) -> CaseFiles:
    """The case with warnings about the pod, the newest last."""
    found = [
        {"type": "Warning", "reason": reason, "message": text, "lastTimestamp": f"2026-01-01T00:00:{at:02}Z"}
        for at, (reason, text) in enumerate(events)
    ]
    return replace(inputs, events=tuple(found))


def verdict(inputs: CaseFiles) -> Finding:
    """The verdict, which must be there."""
    found = examine(inputs)[0].verdict
    assert found is not None
    return found


def variable(name: str, field: str, owner: str, key: str, **more: Any) -> Any:
    return {"name": name, "valueFrom": {field: {"name": owner, "key": key, **more}}}


def config_error(message: str, container: Any, objects: Any = READ) -> CaseFiles:
    return case("CreateContainerConfigError", message, container, objects)


def test_a_missing_object_is_certain_when_it_was_looked_for() -> None:
    container = {"env": [variable("DB", "secretKeyRef", "databse", "url")]}
    found = verdict(config_error('secret "databse" not found', container))
    assert (found.code, found.confidence) == ("RSC140", Confidence.CERTAIN)
    assert "Secret databse is missing in namespace shop" in found.message
    assert "variable DB of container web" in found.message
    assert "Perhaps database is meant" in found.message


def test_a_missing_key_comes_with_the_nearest_one_and_all_that_there_are() -> None:
    container = {"env": [variable("DB", "secretKeyRef", "db", "pasword")]}
    found = verdict(config_error("couldn't find key pasword in Secret shop/db", container))
    assert (found.code, found.confidence) == ("RSC141", Confidence.CERTAIN)
    assert "Perhaps password is meant" in found.message
    assert "Its keys are: username, password." in found.message


@pytest.mark.parametrize(
    ("message", "code"),
    [('secret "db" not found', "RSC140"), ("couldn't find key url in Secret shop/db", "RSC141")],
)
def test_words_alone_make_it_likely(message: str, code: str) -> None:
    found = verdict(config_error(message, {"env": [variable("DB", "secretKeyRef", "db", "url")]}, UNREAD))
    assert (found.code, found.confidence) == (code, Confidence.LIKELY)
    assert "could not be looked up here" in found.message
    assert "secrets is forbidden" in [e.text.partition(": ")[2] for e in found.evidence]


def test_what_is_there_by_now_is_said_to_be_there() -> None:
    container = {"env": [variable("DB", "secretKeyRef", "db", "password")]}
    found = verdict(config_error('secret "db" not found', container))
    assert (found.code, found.confidence) == ("RSC140", Confidence.LIKELY)
    assert "it is there by now" in found.message


def test_an_optional_reference_is_never_the_cause() -> None:
    optional = variable("A", "configMapKeyRef", "none", "a", optional=True)
    needed = {"configMapRef": {"name": "absent"}}
    found = verdict(config_error('configmap "absent" not found', {"env": [optional], "envFrom": [needed]}))
    assert "ConfigMap absent is missing" in found.message
    assert "envFrom of container web" in found.message
    assert "none" not in found.message


def test_everything_that_is_missing_is_named_and_what_the_kubelet_names_comes_first() -> None:
    container = {
        "envFrom": [{"secretRef": {"name": "first"}}],
        "env": [variable("P", "configMapKeyRef", "env", "host"), variable("Q", "secretKeyRef", "second", "q")],
    }
    found = verdict(config_error("couldn't find key host in ConfigMap shop/env", container))
    assert found.code == "RSC141"
    assert (
        "Missing too: Secret first (envFrom of container web); Secret second (variable Q of container web)."
        in found.message
    )


def test_without_words_the_manifest_and_the_objects_decide() -> None:
    found = verdict(config_error("", {"envFrom": [{"secretRef": {"name": "absent"}}]}))
    assert (found.code, found.confidence) == ("RSC140", Confidence.CERTAIN)


def test_something_that_is_missing_beside_another_refusal_is_a_hint() -> None:
    container = {"envFrom": [{"secretRef": {"name": "absent"}}]}
    message = 'container has runAsNonRoot and image will run as root (pod: "web-0", container: web)'
    diagnosis, _ = examine(config_error(message, container))
    assert [(f.code, f.confidence) for f in diagnosis.findings] == [
        ("RSC160", Confidence.CERTAIN),
        ("RSC140", Confidence.HINT),
    ]


def test_a_reference_that_only_the_words_know_is_named_all_the_same() -> None:
    found = verdict(config_error('secret "hidden" not found', {}))
    assert "Secret hidden is missing" in found.message
    assert found.confidence is Confidence.LIKELY
    assert found.evidence[-1].text == "secrets: hidden was not looked up"


MOUNTS: Any = {"volumeMounts": [{"name": "conf", "mountPath": "/etc/web"}]}


def creating(*volumes: Any, objects: Any = READ, **more: Any) -> CaseFiles:
    return case("ContainerCreating", "", {**MOUNTS, **more}, objects, volumes=list(volumes))


@pytest.mark.parametrize(
    ("volume", "code", "says"),
    [
        ({"configMap": {"name": "gone"}}, "RSC140", "volume conf (/etc/web of container web)"),
        ({"secret": {"secretName": "gone"}}, "RSC140", "Secret gone is missing"),
        ({"configMap": {"name": "env", "items": [{"key": "mod", "path": "m"}]}}, "RSC141", "file m of volume conf"),
        ({"projected": {"sources": [{"secret": {"name": "gone"}}]}}, "RSC140", "a source of volume conf"),
        (
            {"projected": {"sources": [{"configMap": {"name": "env", "items": [{"key": "x", "path": "y/z"}]}}]}},
            "RSC141",
            "file y/z of a source of volume conf",
        ),
    ],
)
def test_a_volume_that_cannot_be_mounted_is_certain_without_any_event(volume: Any, code: str, says: str) -> None:
    found = verdict(creating({"name": "conf", **volume}))
    assert (found.code, found.confidence) == (code, Confidence.CERTAIN)
    assert says in found.message


@pytest.mark.parametrize(
    "volume",
    [
        {"name": "conf", "configMap": {"name": "gone", "optional": True}},
        {"name": "unused", "secret": {"secretName": "gone"}},
        {"name": "conf", "configMap": {"name": "env"}},
    ],
)
def test_a_volume_that_is_optional_unused_or_there_is_no_cause(volume: Any) -> None:
    assert examine(creating(volume))[0].findings == ()


def test_the_newest_words_come_first() -> None:
    inputs = creating(
        {"name": "conf", "configMap": {"name": "one"}}, {"name": "b", "secret": {"secretName": "two"}}, objects=UNREAD
    )
    old = ("FailedMount", 'MountVolume.SetUp failed for volume "b" : secret "two" not found')
    new = ("FailedMount", 'MountVolume.SetUp failed for volume "conf" : configmap "one" not found')
    assert verdict(with_events(inputs, old, new)).message.startswith("ConfigMap one")
    assert verdict(with_events(inputs, new, old)).message.startswith("Secret two")
    assert "Missing too: ConfigMap one (volume conf" in verdict(with_events(inputs, new, old)).message


def test_a_key_that_a_volume_lacks_is_read_from_the_words() -> None:
    inputs = creating({"name": "conf", "secret": {"secretName": "tls", "items": [{"key": "crt", "path": "c"}]}})
    inputs = replace(inputs, objects=UNREAD)
    text = 'MountVolume.SetUp failed for volume "conf" : references non-existent secret key: crt'
    found = verdict(with_events(inputs, ("FailedMount", text)))
    assert (found.code, found.confidence) == ("RSC141", Confidence.LIKELY)
    assert "Secret tls in namespace shop has no key crt" in found.message


@pytest.mark.parametrize(
    ("reason", "text", "code"),
    [
        (
            "FailedMount",
            'MountVolume.SetUp failed for volume "conf" : hostPath type check failed: /x is no dir',
            "RSC165",
        ),
        ("FailedMount", "Unable to attach or mount volumes: unmounted volumes=[conf], timed out", "RSC165"),
        ("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) a', "RSC165"),
        ("FailedCreatePodSandBox", "Failed to create pod sandbox: plugin cni failed", "RSC166"),
        ("FailedMount", 'MountVolume.SetUp failed for volume "c" : failed to sync secret cache: timed out', "RSC169"),
    ],
)
def test_what_else_a_pod_waits_for_is_said_in_the_clusters_words(reason: str, text: str, code: str) -> None:
    found = verdict(with_events(creating({"name": "conf", "hostPath": {"path": "/x"}}), (reason, text)))
    assert found.code == code
    assert text in found.message


def test_a_pod_that_just_starts_has_no_finding_and_nothing_is_missed() -> None:
    diagnosis, replay = examine(creating())
    assert (diagnosis.findings, diagnosis.not_checked, replay.ended) == ((), (), "")


IMAGES = [
    # containerd, CRI-O, docker; in parts abridged
    ('failed to resolve reference "docker.io/library/shop:1": docker.io/library/shop:1: not found', "RSC150"),
    ("reading manifest 1 in quay.io/acme/shop: manifest unknown", "RSC150"),
    ("Error response from daemon: manifest for shop:1 not found: manifest unknown", "RSC150"),
    ("failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized", "RSC151"),
    ("unexpected status from HEAD request to https://x/v2/shop/manifests/1: 403 Forbidden", "RSC151"),
    ("pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed", "RSC151"),
    ("unauthorized: authentication required", "RSC151"),
    ("dial tcp: lookup registry.example: no such host", "RSC152"),
    ("dial tcp 10.0.0.1:443: i/o timeout", "RSC152"),
    ("dial tcp 10.0.0.1:443: connect: connection refused", "RSC152"),
    ('Get "https://x/v2/": net/http: TLS handshake timeout', "RSC152"),
    ("unexpected status: 503 Service Unavailable", "RSC152"),
    ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "RSC153"),
    ("http: server gave HTTP response to HTTPS client", "RSC153"),
    ("toomanyrequests: You have reached your unauthenticated pull rate limit.", "RSC156"),
    ("no match for platform in manifest: not found", "RSC157"),
    ("write /var/lib/containerd/x: no space left on device", "RSC158"),
    ("failed to extract layer: layer is corrupt", "RSC159"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "code"), IMAGES, ids=[words[:50] for words, _ in IMAGES])
def test_why_an_image_cannot_be_pulled_is_told_apart(words: str, code: str) -> None:
    message = f'rpc error: code = Unknown desc = failed to pull and unpack image "docker.io/library/shop:1": {words}'
    assert verdict(case("ErrImagePull", message, {})).code == code
    back_off = case("ImagePullBackOff", 'Back-off pulling image "shop:1"', {})
    old = with_events(
        back_off, ("Failed", f'Failed to pull image "shop:1": {message}'), ("Failed", "Error: ErrImagePull")
    )
    assert verdict(old).code == code


def test_words_in_an_images_name_are_no_words_of_the_registry() -> None:
    image = "example.com/not-found/denied:x509"
    message = f'failed to pull image "{image}": {image}: dial tcp: lookup example.com: no such host'
    assert verdict(case("ErrImagePull", message, {"image": image})).code == "RSC152"


@pytest.mark.parametrize(
    ("reason", "message", "code"),
    [
        ("ErrImageNeverPull", 'Container image "shop:1" is not present with pull policy of Never', "RSC155"),
        ("InvalidImageName", 'couldn\'t parse image name "Shop:1": invalid reference format', "RSC154"),
    ],
)
def test_an_image_that_is_not_even_asked_for(reason: str, message: str, code: str) -> None:
    assert verdict(case(reason, message, {})).code == code


def pull(secrets: Any, objects: Any, image: str = "ghcr.io/acme/shop:1") -> str:
    login = [{"name": name} for name in secrets]
    inputs = case("ErrImagePull", "403 Forbidden", {"image": image}, {**READ, **objects}, imagePullSecrets=login)
    return verdict(inputs).message


def test_the_pull_secrets_are_weighed_when_a_registry_refuses() -> None:
    there = {"imagePullSecrets": {"login": {"registries": ["https://index.docker.io/v1/", "*.example.com"]}}}
    assert "names no imagePullSecrets" in pull([], there)
    assert "a Secret that does not exist: logins. The nearest Secret is login." in pull(
        ["login", "logins"], {**there, "names": {"secrets": ["login"]}}
    )
    assert "(login) are for: *.example.com, https://index.docker.io/v1/." in pull(["login"], there)
    assert "(login) hold a login for docker.io" in pull(["login"], there, "acme/shop:1")
    assert "(login) hold a login for eu.example.com" in pull(["login"], there, "eu.example.com/acme/shop:1")
    refused = {"unreadable": {"imagePullSecrets": "secrets is forbidden"}}
    assert "(login) could not be read" in pull(["login"], refused)


def test_a_pull_secret_that_the_kubelet_does_not_find_is_missing() -> None:
    inputs = case("ErrImagePull", "401 Unauthorized", {}, UNREAD, imagePullSecrets=[{"name": "login"}])
    text = "Unable to retrieve some image pull secrets (login); attempting to pull the image may not succeed."
    found = verdict(with_events(inputs, ("FailedToRetrieveImagePullSecret", text)))
    assert "a Secret that does not exist: login" in found.message
    assert text in found.evidence[1].text


CREATION = [
    ("container's runAsUser breaks non-root policy (pod: x, container: web)", "RSC160", "runAsUser 0 is set"),
    (
        "container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root",
        "RSC161",
        "(node)",
    ),
    ('failed to prepare subPath for volumeMount "conf" of container "web"', "RSC162", "subPath is a/b"),
    ('failed to reserve container name "web_0": name "web_0" is reserved for "abc"', "RSC163", "still reserved"),
    ("context deadline exceeded", "RSC163", "run out of time"),
    ("failed to generate container spec: no command specified", "RSC164", "no ENTRYPOINT"),
    ("hugepages are not supported", "RSC169", "hugepages are not supported"),
]


@pytest.mark.parametrize(("words", "code", "says"), CREATION, ids=[code for _, code, _ in CREATION])
def test_why_a_container_is_not_made_is_told_apart(words: str, code: str, says: str) -> None:
    mounts = [{"name": "conf", "mountPath": "/x", "subPath": "a/b"}]
    container = {"volumeMounts": mounts, "securityContext": {"runAsNonRoot": True, "runAsUser": 0}}
    found = verdict(case("CreateContainerError", words, container))
    assert found.code == code
    assert says in found.message


def test_a_command_that_the_runtime_does_not_find_at_creation_is_named() -> None:
    words = 'container create failed: exec: "serve": executable file not found in $PATH'
    assert verdict(case("CreateContainerError", words, {})).code == "RSC120"


def claimed(message: str, claims: Any, **objects: Any) -> CaseFiles:
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "books"}},
        {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}},
    ]
    inputs = creating(*volumes, objects={**READ, "persistentVolumeClaims": claims, **objects})
    pod = copy.deepcopy(inputs.pod)
    del pod["spec"]["nodeName"]
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    pod["status"] = {"phase": "Pending", "conditions": [condition]}
    return replace(inputs, pod=pod)


UNBOUND = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."


def test_a_claim_that_does_not_exist_is_named() -> None:
    message = '0/1 nodes are available: persistentvolumeclaim "books" not found.'
    names = {"persistentVolumeClaims": ["book"]}
    found = verdict(claimed(message, {"web-0-scratch": {"phase": "Bound"}}, names=names))
    assert (found.code, found.confidence) == ("RSC142", Confidence.CERTAIN)
    assert "Perhaps book is meant" in found.message
    unknown = {"persistentvolumeclaims": "forbidden"}
    assert verdict(claimed(message, {}, unreadable=unknown)).confidence is Confidence.LIKELY


def test_a_claim_that_is_not_bound_is_named_with_its_class_and_its_story() -> None:
    story = 'ProvisioningFailed: storageclass.storage.k8s.io "fast" not found'
    claims = {
        "books": {"phase": "Pending", "storageClass": "fast", "events": [story]},
        "web-0-scratch": {"phase": "Bound"},
    }
    found = verdict(claimed(UNBOUND, claims))
    assert (found.code, found.confidence) == ("RSC143", Confidence.CERTAIN)
    assert "Its storage class is fast." in found.message
    assert story in found.message
    assert "scratch" not in found.message


@pytest.mark.parametrize(
    ("entry", "says"), [({"phase": "Lost"}, "is gone"), ({"phase": "Bound", "deleted": True}, "is being deleted")]
)
def test_a_claim_that_is_lost_or_leaves_is_named(entry: Any, says: str) -> None:
    message = '0/1 nodes are available: persistentvolumeclaim "books" is being deleted.'
    found = verdict(claimed(message, {"books": entry, "web-0-scratch": {"phase": "Bound"}}))
    assert found.code == "RSC143"
    assert says in found.message
