"""The clients people use, each run against this server as a user would: one file a client."""
