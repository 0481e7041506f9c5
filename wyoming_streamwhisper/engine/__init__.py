"""What turns audio into hypotheses: requests and their order, the model and its owner."""
