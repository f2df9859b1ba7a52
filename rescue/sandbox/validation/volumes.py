"""Rules for a pod's volumes."""

from collections.abc import Iterator

from rescue.sandbox import formats
from rescue.sandbox.objects import Object
from rescue.sandbox.status import FieldError, duplicate, forbidden_field, invalid_value, required
from rescue.sandbox.validation import claims

# The field that a source cannot be without, where the schema does not say so.
_NEEDS = {"secret": "secretName", "configMap": "name"}


def errors(volumes: list[Object], field: str) -> Iterator[FieldError]:
    """Names and sources."""
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        path = f"{field}[{index}]"
        name = volume.get("name", "")
        for text in formats.dns_label(name) if name else []:
            yield invalid_value(f"{path}.name", name, text)
        if name and name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
        yield from _sources(volume, path)


def _sources(volume: Object, path: str) -> Iterator[FieldError]:
    # The server looks at the sources in a fixed order, which is nearly the alphabet's.
    sources = sorted((key for key in volume if key != "name"), key=lambda key: (key != "emptyDir", key))
    if not sources:
        yield required(path, "must specify a volume type")
    for extra in sources[1:]:
        yield forbidden_field(f"{path}.{extra}", "may not specify more than 1 volume type")
    for source in sources:
        needed = _NEEDS.get(source)
        if needed and not volume[source].get(needed):
            yield required(f"{path}.{source}.{needed}")
    if "ephemeral" in volume:
        yield from _template(volume["ephemeral"].get("volumeClaimTemplate"), f"{path}.ephemeral.volumeClaimTemplate")


def _template(template: Object | None, path: str) -> Iterator[FieldError]:
    if template is None:
        yield required(path)
    else:
        yield from claims.template_errors(template, path)
