"""One engine for every kind of thing that is kept."""
