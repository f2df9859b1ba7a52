"""The Table form of lists, which ``kubectl get`` prints (meta.k8s.io/v1)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rescue.sandbox import schema
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.tables import cluster, pods, workloads
from rescue.sandbox.tables.columns import AGE, NAME, Column

_COLUMNS: dict[str, tuple[Column, ...]] = {"pods": pods.COLUMNS} | workloads.COLUMNS | cluster.COLUMNS


def columns_of(resource: Resource) -> tuple[Column, ...]:
    """The columns of a kind; name and age for one without its own."""
    return _COLUMNS.get(resource.plural, (NAME, AGE))


def table(
    objects: list[Object], resource: Resource, list_meta: Object, now: datetime, include: str = "Metadata"
) -> Object:
    """A Table of the objects; ``include`` is the ``includeObject`` parameter: Metadata, Object or None."""
    columns = columns_of(resource)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": list_meta,
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [_row(obj, columns, now, include) for obj in objects],
    }


def _row(obj: Object, columns: tuple[Column, ...], now: datetime, include: str) -> Object:
    row: Object = {"cells": [column.cell(obj, now) for column in columns]}
    if include != "None":
        row["object"] = _INCLUDED[include](obj)
    return row


def partial(obj: Object) -> Object:
    """The object's metadata alone, as PartialObjectMetadata."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }


def _whole(obj: Object) -> Object:
    return obj


_INCLUDED: dict[str, Callable[[Object], Object]] = {"Metadata": partial, "Object": _whole}


def _definition(column: Column) -> dict[str, Any]:
    text = column.description
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": schema.description(text) if text.startswith("io.k8s.") else text,
        "priority": column.priority,
    }
