"""The token-classification model that reads the prose, its training and its evaluation; the only torch."""
