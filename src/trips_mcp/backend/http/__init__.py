"""A request, from bytes to an operation and back."""
