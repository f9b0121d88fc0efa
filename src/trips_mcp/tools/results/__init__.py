"""From what the client returned to what an agent is told."""
