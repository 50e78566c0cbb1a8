"""What was compared on the way; nothing imports it."""
