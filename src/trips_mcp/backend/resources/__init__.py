"""One file a resource: a handler for each of its operations."""
