"""What the embedded AWS claims of AWS, asked of any endpoint, and what it answered in a file."""
