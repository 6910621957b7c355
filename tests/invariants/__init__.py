"""The promises of the README, each with a test that tries to break it."""
