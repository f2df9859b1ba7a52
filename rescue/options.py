"""What a rescue is asked for, as one frozen value."""

from dataclasses import dataclass
from pathlib import Path

# A musl tag: `latest` is dynamic since 2022 and would not run in another image.
DEFAULT_TOOLKIT_IMAGE = "busybox:1.37.0-musl"


@dataclass(frozen=True)
class Options:
    """What the command line asks for; ``seconds`` None means: by the original's lifetime."""

    pod: str = ""
    namespace: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None
    container: str | None = None
    command: tuple[str, ...] = ()
    patches: tuple[Path, ...] = ()
    skip_rules: tuple[str, ...] = ()
    toolkit_image: str = DEFAULT_TOOLKIT_IMAGE
    ttl: int = 3600
    wait: float = 120.0
    seconds: float | None = None
    keep: bool = False
    case: Path | None = None
