"""Times one training step of the fully connected network of the paper in PyTorch.

784 inputs, 5 hidden layers of 784 with sigmoid and dropout 0.5, 10 logits; cross-entropy, SGD with momentum;
float32. On a GPU eagerly and as a CUDA graph, else on the CPU. One JSON object a line, as bench.sh prints.
"""

import json
import sys
import time

import torch
from torch import nn

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0


def network():
    layers = []
    for _ in range(5):
        layers += [nn.Linear(784, 784), nn.Sigmoid(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(784, 10))


def step_function(batch, device):
    """A function that runs one training step on fixed data."""
    model = network().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x = torch.rand(batch, 784, device=device)
    y = torch.arange(batch, device=device) % 10

    def step():
        optimizer.zero_grad(set_to_none=False)
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def graphed(step):
    """The step as a CUDA graph, after the warm-up on a side stream that capture asks for."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def measure(name, batch, step, device):
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    steps = 32 if device == "cuda" else 4
    for _ in range(3):
        step()
    wait()
    times = []
    begin = time.perf_counter()
    while len(times) < 5 or time.perf_counter() - begin < SECONDS:
        start = time.perf_counter()
        for _ in range(steps):
            step()
        wait()
        times.append((time.perf_counter() - start) * 1e6 / steps)
    times.sort()
    print(json.dumps({
        "arch": "fc", "backend": f"pytorch {name}", "batch": batch, "steps": steps, "calls": len(times),
        "median_us": round(times[len(times) // 2], 1), "fastest_us": round(times[0], 1),
        "slowest_us": round(times[-1], 1)}), flush=True)


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for batch in (128, 1024, 4096):
        measure(f"{device} eager", batch, step_function(batch, device), device)
        if device == "cuda":
            measure("cuda graph", batch, graphed(step_function(batch, device)), device)


main()
