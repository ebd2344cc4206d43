"""The keys that sign access tokens: their material, their rows, and what an instance knows of them."""
