"""The tools, one module per resource or kind of question."""
