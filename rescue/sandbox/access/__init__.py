"""Who asks, and what they may do: accounts and tokens, roles and bindings (RBAC)."""
