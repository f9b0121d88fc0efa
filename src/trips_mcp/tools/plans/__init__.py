"""Plans: changes that are tried out, shown, and made together."""
