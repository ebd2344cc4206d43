"""The layers that each request passes before it reaches an endpoint; one file a layer."""
