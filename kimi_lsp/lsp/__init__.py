"""The language server: findings inline in every editor that speaks LSP. `start` is its way in; nothing loads here."""
