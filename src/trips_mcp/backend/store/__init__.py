"""The SQLite or PostgreSQL database, its tables and its migrations."""
