"""Who calls, what of, how often, and how often the same."""
