"""The server fed with nonsense: it answers, it lives, it stays small, it gives nothing away."""
