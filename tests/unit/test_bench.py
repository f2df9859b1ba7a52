"""What the benchmarks measure is what they say."""

import pytest

from bench import plan
from rescue.rulebook import load_rules

from .harmless import make_plan, problems


def test_the_large_pod_is_large_and_its_clone_is_harmless() -> None:
    pod = plan.large_pod()
    spec = pod["spec"]
    variables = [entry for container in spec["containers"] for entry in container["env"]]
    mounts = [mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]]
    assert (len(spec["containers"]), len(spec["volumes"]), len(variables)) == (10, 30, 100)
    assert {mounts.count(volume["name"]) for volume in spec["volumes"]} == {2}
    assert problems(make_plan(pod, "c0").clone) == []


def test_every_figure_has_a_name_and_the_first_is_the_yardstick() -> None:
    some = [rule for rule in load_rules((), ()) if rule.where.startswith(("10-", "12-", "14-", "20-"))]
    names = [name for name, _ in plan.figures(plan.large_pod(), some)]
    assert names[0] == "JSON dumps and loads of the pod"
    assert f"all {len(some)} rules" in names
    assert plan.REQUIRED.keys() <= set(names)


@pytest.mark.parametrize(("taken", "met"), [(4.99, True), (5.0, False)])
def test_twenty_rules_are_required_to_compile_in_less_than_five_milliseconds(taken: float, met: bool) -> None:
    assert plan.SOME == 20
    text, verdict = plan.line(plan.AVERAGE, taken, 0.5)
    assert verdict is met
    assert text.endswith(f"{taken / 0.5:.1f} x   {'met' if met else 'NOT MET'}: less than 5 ms")


def test_a_figure_that_nothing_is_required_of_has_no_verdict() -> None:
    assert plan.line("rescue rules", 200.0, 0.5) == (f"{'rescue rules':<48}   200.00 ms    400.0 x", True)


@pytest.mark.parametrize(("taken", "code"), [(1.0, 0), (9.0, 1)])
def test_the_bench_fails_when_a_requirement_is_not_met(
    taken: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plan, "figures", lambda *_: [("yardstick", 0.5), (plan.AVERAGE, taken)])
    monkeypatch.setattr(plan, "starts", lambda _pod: [])
    assert plan.main() == code
    assert f"{taken:8.2f} ms" in capsys.readouterr().out
