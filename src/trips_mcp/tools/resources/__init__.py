"""One file a resource, or a question: its tools."""
