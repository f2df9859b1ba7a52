"""Options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the end-to-end tests run."""
    group = parser.getgroup("rescue")
    group.addoption(
        "--context",
        help="run the end-to-end tests on the cluster of this kubeconfig context (its nodes must have the images of "
        "`make e2e-images`); default: a sandbox of their own",
    )
    group.addoption("--keep-images", action="store_true", help="leave the end-to-end images in podman")
