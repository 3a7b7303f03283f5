"""What the repository needs to be built and checked; no part of the product."""
