"""What the server does for each message, by concern. Handlers run in the order of arrival and never block."""
