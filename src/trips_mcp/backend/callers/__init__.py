"""Authentication, authorization, rate limits and idempotency of callers."""
