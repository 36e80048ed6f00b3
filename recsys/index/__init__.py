"""Searching item vectors: the contract, its exact reference, and FAISS."""
