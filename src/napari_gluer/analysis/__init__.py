"""Numbers from results: clusters, and what follows from them."""
