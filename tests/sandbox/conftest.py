"""Fixtures of the sandbox's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox import fakes


@pytest.fixture
async def cluster() -> AsyncIterator[fakes.Cluster]:
    """An API server with a kubelet that runs nothing."""
    made = await fakes.started()
    yield made
    await made.client.close()
