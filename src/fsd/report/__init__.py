"""Results → text for people and machines. One report model behind every screen."""
