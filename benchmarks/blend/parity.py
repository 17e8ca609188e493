"""Packed rows against each record alone: how far apart losses and gradients are, by architecture and back end.

Random weights, records of 1 to 24 tokens in rows of 24 that the mixer and the assembler made, windows of 6 tokens, no
dropout, fp32. *Loss*: most that the loss of a learnt token differs, in nats. *Gradient*: most that an element of a
parameter's gradient differs, as a part of that parameter's largest element (or of 1, if that is more). Where packing is
refused the figures are those of padded rows. *If records saw each other* is the loss column with a plain causal mask:
what the comparison would show if it failed.

    PYTHONPATH=src:tests python benchmarks/blend/parity.py
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

sys.path.append(str(Path(__file__).parents[2] / "tests"))

import packing_parity as parity

from mixwright.ground.errors import InputError
from mixwright.models.packing import ATTENTION, check_packing

OTHERS = ("flex_attention", "flash_attention_2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    torch.set_num_threads(parser.parse_args().threads)
    with tempfile.TemporaryDirectory() as folder:
        packed = parity.blended(Path(folder) / "packed", packing=True)
        padded = parity.blended(Path(folder) / "padded", packing=False)
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    print("| architecture | device | back end | loss | gradient | if records saw each other | packing |")
    print("|---|---|---|---|---|---|---|")
    for device in devices:
        for architecture in parity.PACKED | parity.REFUSED:
            for attention in ATTENTION if architecture in parity.PACKED else ("eager",):
                print(_line(architecture, attention, device, packed, padded), flush=True)
    for attention in OTHERS:
        model = parity.build("llama")
        model.config._attn_implementation = attention  # as if it were installed and chosen
        print(f"| every | every | {attention} |  |  |  | {_verdict(model)} |")
    if devices == ["cpu"]:
        print("\nNot measured: CUDA (no device here).")


def _line(architecture: str, attention: str, device: str, packed: parity.Blended, padded: parity.Blended) -> str:
    model = parity.build(architecture, attention, device)
    verdict = _verdict(model)
    if architecture in parity.PACKED:
        alone = parity.learn_alone(model, packed.records)
        found = parity.apart(parity.learn_packed(model, packed.batches), alone)
        leaking = f"{parity.apart(parity.learn_packed(model, parity.merged(packed.batches)), alone).loss:.1f}"
    else:
        alone = parity.learn_alone(model, padded.records)
        found, leaking = parity.apart(parity.learn_padded(model, padded.batches), alone), ""
    name = architecture + (f", window {parity.WINDOW}" if architecture in parity.WINDOWED else "")
    back_end = attention if architecture in parity.PACKED else "its own"
    return f"| {name} | {device} | {back_end} | {found.loss:.1e} | {found.gradient:.1e} | {leaking} | {verdict} |"


def _verdict(model: Any) -> str:
    try:
        check_packing(model, parity.ROW)
    except InputError as error:
        return f"refused: {error.message}"
    return "accepted"


if __name__ == "__main__":
    main()
