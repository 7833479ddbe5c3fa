"""How an operation runs: what is read and how, the HTTP front, the explorer. Knows no domain."""
