"""What outside systems post to us: Stripe, nobody else."""
