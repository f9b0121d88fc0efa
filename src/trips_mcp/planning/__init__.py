"""Changes to a trip as data: what a plan holds, and what it would do. Pure functions, no I/O."""
