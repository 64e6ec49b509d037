"""Energy: which assets to build and what each of them does, under prices, limits and carbon."""
