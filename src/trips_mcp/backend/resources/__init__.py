"""Handlers of the operations, one module per resource."""
