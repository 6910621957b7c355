"""The server with clients that nobody here wrote, headless: what they list, call and make of answers."""
