"""The server in real editors, headless: what their users see, and what they send."""
