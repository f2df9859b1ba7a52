"""What a rescue is asked for, as frozen values."""

from dataclasses import dataclass, field
from pathlib import Path

# A musl tag: `latest` is dynamic since 2022 and would not run in another image.
DEFAULT_TOOLKIT_IMAGE = "busybox:1.37.0-musl"


@dataclass(frozen=True)
class Wishes:
    """How the user wants the clone to differ from the original.

    ``claims``: claim or volume name, or ``*``, with one of ``rescue.claims.MODES``. ``images``: container and image.
    ``env``: names and values; ``unset``: names. ``run_as``: a numeric uid. ``same_node`` None: where the pod needs it.
    """

    claims: tuple[tuple[str, str], ...] = ()
    images: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    unset: tuple[str, ...] = ()
    memory: str | None = None
    run_as: int | None = None
    same_node: bool | None = None
    identity: bool = True
    minimal_requests: bool = False
    only_target: bool = False
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """What the command line asks for; ``seconds`` None means: by the original's lifetime.

    One of ``pod`` (``NAME`` or ``KIND/NAME``), ``selector`` and ``filename`` says where the pod comes from.
    """

    pod: str = ""
    selector: str | None = None
    filename: Path | None = None
    namespace: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None
    container: str | None = None
    command: tuple[str, ...] = ()
    scout: bool = True
    wishes: Wishes = field(default_factory=Wishes)
    patches: tuple[Path, ...] = ()
    skip_rules: tuple[str, ...] = ()
    toolkit_image: str = DEFAULT_TOOLKIT_IMAGE
    ttl: int = 3600
    wait: float = 120.0
    seconds: float | None = None
    keep: bool = False
    case: Path | None = None
