"""Times the paper's fully connected network in PyTorch.

784 inputs, 5 hidden layers of 784 with sigmoid and dropout 0.5, 10 logits; cross-entropy, SGD with momentum. On the CPU
eagerly, in float32; on a CUDA device eagerly and as a CUDA graph, in float32, TF32 and bfloat16. With --inference the
forward pass alone, on the CPU, a single sample on one thread.
"""

import sys

from common import CLASSES, LAYERS, WIDTH, arguments, report, spread

INFERENCE = "--inference" in sys.argv
if INFERENCE:
    sys.argv.remove("--inference")
ARGUMENTS = arguments(__doc__, "1,1024" if INFERENCE else "128,1024,4096")

import torch
from torch import nn

from pytorch_common import device_facts, facts, noise, sgd, training_step

EDGES = LAYERS * WIDTH * WIDTH + WIDTH * CLASSES


def network():
    layers = []
    for _ in range(LAYERS):
        layers += [nn.Linear(WIDTH, WIDTH), nn.Sigmoid(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(WIDTH, CLASSES))


def graphed(step):
    """The step as a CUDA graph, after the warm-up on a side stream that capture requires."""
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


def train(batch, device, precision=None, graph=False):
    """One measurement of training steps."""
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    where = device_facts(device, ARGUMENTS.threads)
    model = network().to(device)
    autocast = torch.bfloat16 if precision == "bf16" else None
    step = training_step(model, sgd(model, 0.0), *noise(batch, device), autocast)
    if graph:
        step = graphed(step)
    wait, most = (torch.cuda.synchronize, 64) if device == "cuda" else (lambda: None, 8)
    words = ["CUDA graph" if graph else "eager", precision]
    about = facts("fc", EDGES, variant=" ".join(word for word in words if word), batch=batch, weight_bytes=4 * EDGES)
    report(spread(step, ARGUMENTS.seconds, wait, most), **about, **where)


def infer(batch):
    where = device_facts("cpu", 1 if batch == 1 else ARGUMENTS.threads)
    model, (x, _) = network().eval(), noise(batch)
    with torch.inference_mode():
        times = spread(lambda: model(x), ARGUMENTS.seconds)
    about = {**facts("fc", EDGES, variant="eager", batch=batch, weight_bytes=4 * EDGES), "optimizer": ""}
    report(times, **{**about, "mode": "inference"}, **where)


def main():
    for batch in ARGUMENTS.batch:
        if INFERENCE:
            infer(batch)
            continue
        train(batch, "cpu")
        if torch.cuda.is_available():
            for precision in ("float32", "tf32", "bf16"):
                for graph in (False, True):
                    train(batch, "cuda", precision, graph)


main()
