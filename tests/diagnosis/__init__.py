"""The diagnosis: parsers, rules, and whole recorded cases."""
