"""Shared by the peers on PyTorch. Import after `common.arguments`, which sets the threads."""

import torch
from torch import nn

from common import CLASSES, MOMENTUM, SPARSE_DECAY, WIDTH


def device_facts(device, threads):
    if device == "cuda":
        return {"backend": "gpu", "device": torch.cuda.get_device_name()}
    torch.set_num_threads(threads)
    plural = "" if threads == 1 else "s"
    return {"backend": "cpu", "device": f"{threads} thread{plural}, {torch.backends.cpu.get_cpu_capability()}"}


def noise(batch, device="cpu"):
    return torch.rand(batch, WIDTH, device=device), torch.arange(batch, device=device) % CLASSES


def sgd(model, decay):
    """Fused SGD with momentum; weights decay, biases do not."""
    weights = [p for name, p in model.named_parameters() if not name.endswith("bias")]
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, **MOMENTUM, fused=True)


def training_step(model, optimizer, x, y, autocast=None):
    """A function that runs forward, backward and update on one batch, and returns the loss."""

    def step():
        optimizer.zero_grad(set_to_none=False)
        if autocast is None:
            loss = nn.functional.cross_entropy(model(x), y)
        else:
            with torch.autocast("cuda", dtype=autocast, cache_enabled=False):
                loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def masks_and_weights(layers):
    """For each layer the mask and Glorot-normal weights [out][in] with the fans of the graph, gain 4 for sigmoid."""
    generator = torch.Generator().manual_seed(0)
    result = []
    for outputs, inputs, row_start, edge_input in layers:
        mask = torch.zeros(outputs, inputs)
        rows = torch.repeat_interleave(torch.arange(outputs), torch.tensor(row_start).diff())
        mask[rows, torch.tensor(edge_input)] = 1.0
        fans = mask.sum(1, keepdim=True) + mask.sum(0, keepdim=True)
        weights = mask * torch.randn(outputs, inputs, generator=generator) * 4.0 * (2.0 / fans.clamp(min=1.0)).sqrt()
        result.append((mask, weights))
    return result


def masked_network(layers):
    """The sparse network as dense layers whose weights are multiplied by a mask in every forward pass."""

    class Masked(nn.Module):
        def __init__(self, mask, weights):
            super().__init__()
            self.register_buffer("mask", mask)
            self.weight = nn.Parameter(weights.clone())
            self.bias = nn.Parameter(torch.zeros(len(weights)))

        def forward(self, x):
            return nn.functional.linear(x, self.weight * self.mask, self.bias)

    return sequence([Masked(*pair) for pair in masks_and_weights(layers)])


def sequence(modules):
    """The layers with sigmoids between them."""
    parts = [part for module in modules for part in (module, nn.Sigmoid())]
    return nn.Sequential(*parts[:-1])


def facts(arch, edges, **more):
    return {"program": "pytorch", "version": torch.__version__, "arch": arch, "edges": edges,
            "optimizer": f"SGD with momentum {MOMENTUM['momentum']}", **more}


__all__ = ["SPARSE_DECAY", "device_facts", "facts", "masked_network", "masks_and_weights", "noise", "sequence", "sgd",
           "training_step"]
