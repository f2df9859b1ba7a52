"""Requests and answers: one connection to one cluster."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import urllib3
from kubernetes import config
from kubernetes.client import ApiClient
from kubernetes.config.config_exception import ConfigException

from rescue.errors import ExitCode, RescueError
from rescue.kube import kubeconfig
from rescue.kube.errors import MEANINGS, ClusterError, Request, from_status, unreachable
from rescue.model import JsonObject

# resource: API prefix
PREFIXES = {
    "nodes": "/api/v1",
    "pods": "/api/v1",
    "events": "/api/v1",
    "services": "/api/v1",
    "configmaps": "/api/v1",
    "secrets": "/api/v1",
    "persistentvolumeclaims": "/api/v1",
    "replicationcontrollers": "/api/v1",
    "replicasets": "/apis/apps/v1",
    "deployments": "/apis/apps/v1",
    "statefulsets": "/apis/apps/v1",
    "daemonsets": "/apis/apps/v1",
    "jobs": "/apis/batch/v1",
    "cronjobs": "/apis/batch/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "podmonitors": "/apis/monitoring.coreos.com/v1",
    "servicemonitors": "/apis/monitoring.coreos.com/v1",
    "selfsubjectaccessreviews": "/apis/authorization.k8s.io/v1",
}
CONNECT_SECONDS = 5
# Between two bytes; a change may wait for webhooks, which may take 30.
READ_SECONDS, CHANGE_SECONDS = 15, 35
# A server that is silent is not asked again by itself: each caller knows how long waiting makes sense.
RETRIES = urllib3.Retry(connect=1, read=0, other=0, backoff_factor=0.5)
OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
JSON = "application/json"
METADATA = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PAGE = 500  # objects a list request returns at most


class Cluster:
    """One cluster, as one account, with a default namespace.

    Every method raises ClusterError when the server refuses or does not answer.
    """

    def __init__(self, api: ApiClient, context: str, namespace: str) -> None:
        self.api = api
        self.context = context
        self.namespace = namespace

    @property
    def host(self) -> str:
        """The API server's URL."""
        return str(self.api.configuration.host)

    def get(self, resource: str, namespace: str, name: str) -> JsonObject:
        """One object."""
        return self._json("GET", Request("get", resource, namespace, name))

    def names(self, resource: str, namespace: str) -> list[str]:
        """The names of all objects of a namespace; what is in them is not transferred."""
        return [item["metadata"]["name"] for item in self._list(Request("list", resource, namespace), {}, METADATA)]

    def _list(self, request: Request, query: dict[str, str], accept: str) -> list[JsonObject]:
        items: list[JsonObject] = []
        following: dict[str, str] = {}
        while True:
            asked = {"limit": str(PAGE), **query, **following}
            page = self._json("GET", request, asked, accept=accept)
            items.extend(page.get("items") or ())
            token = page.get("metadata", {}).get("continue")
            if not token:
                return items
            following = {"continue": token}

    def list(self, resource: str, namespace: str, **query: str) -> list[JsonObject]:
        """All objects of a namespace, or of all for ""; ``query`` holds fieldSelector, labelSelector."""
        return self._list(Request("list", resource, namespace), query, JSON)

    def create(self, resource: str, namespace: str, body: JsonObject, dry_run: bool = False) -> JsonObject:
        """Create an object; with ``dry_run`` the server checks everything and stores nothing."""
        query = {"fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        return self._json("POST", Request("create", resource, namespace), query, body)

    def delete(self, resource: str, namespace: str, name: str, uid: str) -> None:
        """Delete an object, only if it still has this uid."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        self._json("DELETE", Request("delete", resource, namespace, name), {}, body)

    def logs(self, namespace: str, pod: str, container: str, previous: bool, tail: int) -> str:
        """The last ``tail`` lines that a container wrote; undecodable bytes are replaced."""
        query = {"container": container, "previous": str(previous).lower(), "tailLines": str(tail)}
        request = Request("get", "pods/log", namespace, pod)
        with self._reached(), self._send("GET", request, query) as response:
            return bytes(response.read()).decode("utf-8", "replace")

    def watch(self, resource: str, namespace: str, name: str, version: str, seconds: int) -> Iterator[JsonObject]:
        """Watch events of one object since ``version``, for at most ``seconds``; ends when the server ends it."""
        query = {
            "watch": "true",
            "fieldSelector": f"metadata.name={name}",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        with self._reached(), self._send("GET", Request("watch", resource, namespace), query) as response:
            for line in _lines(response):
                yield json.loads(line)

    def headers(self) -> dict[str, str]:
        """The authorization header of this account, fresh."""
        headers: dict[str, str] = {}
        self.api.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        return headers

    def close(self) -> None:
        """Close the connections."""
        self.api.close()

    def _json(
        self,
        method: str,
        request: Request,
        query: dict[str, str] | None = None,
        body: JsonObject | None = None,
        accept: str = JSON,
    ) -> JsonObject:
        with self._reached(), self._send(method, request, query or {}, body, accept) as response:
            answer: JsonObject = json.loads(response.read())
            return answer

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Errors on the way and answers that are none, as ClusterError."""
        try:
            yield
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unreachable(self.host, error) from error
        except ValueError as error:
            raise ClusterError(f"{self.host} does not answer in JSON: {error}", MEANINGS[406].hint, 406) from error

    def _send(
        self,
        method: str,
        request: Request,
        query: dict[str, str],
        body: JsonObject | None = None,
        accept: str = JSON,
    ) -> urllib3.BaseHTTPResponse:
        """The open answer of a request; an answer of 400 and more is raised."""
        url = f"{self.host}{path(request)}?{urlencode(query)}"
        headers = {**self.headers(), "Accept": accept, "Content-Type": JSON}
        response = self.api.rest_client.pool_manager.request(
            method,
            url,
            body=None if body is None else json.dumps(body),
            headers=headers,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=CHANGE_SECONDS if body else READ_SECONDS),
            retries=RETRIES,
            preload_content=False,
        )
        if response.status >= 400:
            raise from_status(response.status, response.read(), request)
        return response


def path(request: Request) -> str:
    """The URL path of a request; ``pods/log`` becomes ``…/pods/NAME/log``."""
    resource, _, sub = request.resource.partition("/")
    place = ["namespaces", request.namespace] if request.namespace else []
    parts = [PREFIXES[resource], *place, resource, request.name, sub]
    return "/".join(part for part in parts if part)


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Complete lines as they arrive."""
    rest = b""
    while chunk := response.read1(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in lines if line)


def connect(context: str | None, namespace: str | None, file: Path | None = None) -> Cluster:
    """Connect as kubectl would: $KUBECONFIG or ~/.kube/config, else the service account of the pod we run in.

    ``file`` names another kubeconfig than these.  Raises RescueError as ``kubeconfig.client``, and usage when there is
    no configuration at all.
    """
    logging.getLogger("kubernetes").setLevel(logging.CRITICAL)  # errors are raised, not logged
    found = kubeconfig.client(str(file) if file else None, context)
    if found is None:
        return _in_cluster(context, namespace)
    api, chosen = found
    return Cluster(api, chosen.name, namespace or chosen.namespace or "default")


def _in_cluster(context: str | None, namespace: str | None) -> Cluster:
    try:
        if context is not None:
            raise ConfigException(f"there is no kubeconfig with a context {context!r}")
        config.load_incluster_config()
    except ConfigException as error:
        raise RescueError(
            f"no cluster is configured: {error}",
            "set KUBECONFIG; or try it without a cluster: rescue demo",
            ExitCode.USAGE,
        ) from error
    return Cluster(ApiClient(), "in-cluster", namespace or _own_namespace())


def _own_namespace() -> str:
    """The namespace of the pod that we run in."""
    try:
        return OWN_NAMESPACE.read_text(encoding="utf-8").strip()
    except OSError:
        return "default"
