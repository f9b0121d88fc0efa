"""Popular clients, each run against this server as a user would run it; one file per client."""
