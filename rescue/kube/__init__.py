"""The Kubernetes API as plain camelCase JSON; the only package that imports ``kubernetes``."""
