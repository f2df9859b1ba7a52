"""Fixtures of the sandbox's tests."""

from collections.abc import AsyncIterator

import pytest

from rescue.sandbox.store import Store
from tests.sandbox import fakes, plain


@pytest.fixture
async def cluster() -> AsyncIterator[fakes.Cluster]:
    """An API server with a kubelet that runs nothing."""
    made = await fakes.started()
    yield made
    await made.client.close()


@pytest.fixture
def store() -> Store:
    """A cluster with one node, without API server and kubelet."""
    return plain.furnished(plain.node())
