"""The kubeconfig: which context counts, and what is wrong with the files, in words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import config
from kubernetes.client import ApiClient
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigMerger

from rescue.errors import ExitCode, RescueError

_KINDS = ("contexts", "clusters", "users")


@dataclass(frozen=True)
class Context:
    """A context of a kubeconfig; ``user`` and ``namespace`` are empty where it names none."""

    name: str
    user: str
    namespace: str


def client(files: str | None, wanted: str | None) -> tuple[ApiClient, Context] | None:
    """A client for the context ``wanted``, else the current one; None where nothing is configured.

    ``files`` are paths with a colon between them; None means $KUBECONFIG or ~/.kube/config.
    Raises RescueError: usage for files that do not fit together, cluster for a context without credentials.
    """
    with _in_words():
        filled = _filled(files or KUBE_CONFIG_DEFAULT_LOCATION)
        merged = KubeConfigMerger(filled)
        if merged.config is None or not any(merged.config.value[kind] for kind in _KINDS):
            return None
        context = _choose(merged, wanted)
        api = config.new_client_from_config(filled, context.name, persist_config=False)
    _check_credentials(api, context)
    return api, context


def _filled(files: str) -> str:
    """Without empty files such as /dev/null, which the library refuses and kubectl passes over."""
    paths = [path for path in files.split(os.pathsep) if path and Path(path).expanduser().exists()]
    return os.pathsep.join(path for path in paths if Path(path).expanduser().stat().st_size)


@contextmanager
def _in_words() -> Iterator[None]:
    """What the library raises for a file that is no kubeconfig, in words."""
    try:
        yield
    except (ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        words = " ".join(str(error).split())
        raise RescueError(
            f"the kubeconfig is malformed: {words}", "see: kubectl config view", ExitCode.USAGE
        ) from error


def _choose(merged: KubeConfigMerger, wanted: str | None) -> Context:
    contexts = _named(merged, "contexts")
    name = wanted or _current(merged)
    if not name:
        raise _misfit("the kubeconfig has no current context", f"name one with --context; it has: {_list(contexts)}")
    if name not in contexts:
        which = "context" if wanted else "current context"
        raise _misfit(f"no {which} {name!r} in the kubeconfig", f"name one with --context; it has: {_list(contexts)}")
    context = contexts[name]["context"]
    for kind in ("cluster", "user"):
        known, chosen = _named(merged, f"{kind}s"), context.safe_get(kind)
        if chosen and chosen not in known:
            raise _misfit(
                f"context {name!r} names the {kind} {chosen!r}, which the kubeconfig does not have",
                f"it has: {_list(known)}; see: kubectl config view",
            )
    return Context(name, context.safe_get("user") or "", context.safe_get("namespace") or "")


def _named(merged: KubeConfigMerger, kind: str) -> dict[str, Any]:
    return {str(entry["name"]): entry for entry in merged.config.value[kind]}


def _current(merged: KubeConfigMerger) -> str:
    """The current context of the first file that has one, as kubectl takes it; the library takes the last."""
    return next(filter(None, (content.get("current-context") for content in merged.config_files.values())), "")


def _list(named: dict[str, Any]) -> str:
    return ", ".join(named) or "none"


def _misfit(message: str, hint: str) -> RescueError:
    return RescueError(message, hint, ExitCode.USAGE)


def _check_credentials(api: ApiClient, context: Context) -> None:
    """A credential plugin that fails is only logged by the library, and requests would go out as nobody."""
    settings = api.configuration
    if settings.auth_settings() or settings.cert_file or not context.user:
        return
    raise RescueError(
        f"context {context.name!r} gives no credentials (did its login plugin fail?)",
        f"try: kubectl --context {context.name} auth whoami",
        ExitCode.CLUSTER,
    )
