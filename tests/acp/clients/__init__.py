"""The agent with clients that nobody here wrote, headless: what they ask, show and store. Every frame is judged."""
