"""What all HTTP answers share: the edge, declared endpoints, errors and the OpenAPI document."""
