"""What the benchmarks measure is what they say."""

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
