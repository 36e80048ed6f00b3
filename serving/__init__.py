"""The gRPC server: converts a request, calls the Recommender, converts the answer."""
