"""What the two faces of an editor share."""
