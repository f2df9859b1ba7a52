"""What is asked for must fit into the life of the clone; what nobody asked for is made to fit."""

import pytest

from rescue import times
from rescue.errors import ExitCode, RescueError
from rescue.options import Options


@pytest.mark.parametrize(
    ("seconds", "wait", "ttl"), [(7200, 120, 3600), (30, 31, 60), (float("inf"), 1, 60), (float("nan"), 1, 60)]
)
def test_a_replay_that_may_outlive_its_clone_is_wrong_usage(seconds: float, wait: float, ttl: int) -> None:
    with pytest.raises(RescueError) as refused:
        times.check(Options(seconds=seconds, wait=wait, ttl=ttl))
    assert refused.value.code is ExitCode.USAGE
    assert refused.value.message == f"--seconds {seconds:g} and --wait {wait:g} do not fit into --ttl {ttl}"


@pytest.mark.parametrize("options", [Options(), Options(ttl=60), Options(seconds=30, wait=30, ttl=60)])
def test_what_fits_is_taken(options: Options) -> None:
    times.check(options)


@pytest.mark.parametrize(
    ("options", "lifetime", "seconds"),
    [
        (Options(), None, 20),
        (Options(), 2, 20),
        (Options(), 50, 150),
        (Options(), 5000, 600),
        (Options(ttl=300, wait=100), 5000, 200),
        (Options(ttl=60), 50, 20),
        (Options(seconds=7), 50, 7),
    ],
)
def test_the_time_of_a_replay(options: Options, lifetime: float | None, seconds: float) -> None:
    assert times.of_replay(options, lifetime) == seconds


@pytest.mark.parametrize(("lifetime", "warned"), [(None, False), (20, False), (700, True)])
def test_an_original_that_lived_longer_is_warned_of(lifetime: float | None, warned: bool) -> None:
    assert bool(times.warnings(Options(), lifetime)) is warned
    assert all("--seconds" in text and "--ttl" in text for text in times.warnings(Options(), lifetime))
