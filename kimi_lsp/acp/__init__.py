"""The ACP agent: an auditor that one can talk to. `start` is its way in; nothing loads here."""
