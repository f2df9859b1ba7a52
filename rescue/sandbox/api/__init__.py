"""The API over HTTPS: paths, lists and watches, writes, logs, exec."""
