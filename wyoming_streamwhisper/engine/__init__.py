"""What turns audio into hypotheses: requests, their order, the owner of the model, its back ends."""
