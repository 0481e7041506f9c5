"""Our Muon takes the steps that torch's takes."""

import pytest

torch = pytest.importorskip("torch")

from tools.demo_model.muon import Muon, orthogonal  # noqa: E402


def test_singular_values_come_near_one() -> None:
    torch.manual_seed(1)
    values = torch.linalg.svdvals(orthogonal(torch.randn(3, 40, 16)))
    assert values.min() > 0.5
    assert values.max() < 1.5


def test_steps_are_those_of_torch() -> None:
    torch.manual_seed(2)
    shapes = [(24, 24), (24, 96), (24, 24), (96, 24)]
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    theirs = [torch.nn.Parameter(matrix.detach().clone()) for matrix in ours]
    begun = [matrix.detach().clone() for matrix in ours]
    mine = Muon(ours, 1e-3)
    other = torch.optim.Muon(theirs, lr=1e-3, weight_decay=0.02, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape)
            b.grad = a.grad.clone()
        mine.step()
        other.step()
    for a, b, before in zip(ours, theirs, begun, strict=True):
        # Torch iterates in bfloat16: its steps are ours but for about a hundredth.
        difference = (a - b).detach().norm() / (a.detach() - before).norm()
        assert 0 < difference < 0.03
    other.load_state_dict({**other.state_dict(), "state": mine.state_dict()["state"]})  # goes on
