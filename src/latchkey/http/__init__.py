"""What every HTTP answer of ours has in common: the edge, endpoints as declarations, errors, OpenAPI."""
