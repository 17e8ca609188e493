"""Which device and number format a computation uses, decided once and written into the lock."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from mixwright.ground.errors import InputError

if TYPE_CHECKING:
    import torch


def choose_device(wanted: str) -> str:
    """ "cpu" or "cuda" for auto, cpu or cuda. Raises InputError when cuda is asked for and absent."""
    if wanted == "cpu" or (wanted == "auto" and metadata.version("torch").endswith("+cpu")):
        return "cpu"  # known without the second that importing torch takes
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise InputError(
            "no CUDA device is available",
            where="train.device",
            fix="Use auto or cpu, or install a CUDA build of torch.",
        )
    return "cpu"


def choose_precision(wanted: str, device: str) -> str:
    """ "fp32" or "bf16" for auto: bf16 on CUDA and on CPUs that multiply it natively, where it pays."""
    if wanted != "auto":
        return wanted
    if device == "cuda":
        return "bf16"
    return "bf16" if _cpu_has_bf16() else "fp32"


def hardware(device: str) -> str:
    """What computes, by name: results are bit-identical on one kind of it only."""
    if device == "cuda":
        import torch

        return str(torch.cuda.get_device_name())
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        return f"{platform.machine()} {names[0]}"
    except (OSError, IndexError):
        return f"{platform.machine()} {platform.processor()}"


def available_cores() -> int:
    """Cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text().split("flags", 2)[1].split("\n", 1)[0].split()
    except (OSError, IndexError):
        return platform.machine() == "arm64" and platform.system() == "Darwin"
    return "avx512_bf16" in flags or "amx_bf16" in flags


def autocast(device: str, precision: str) -> torch.autocast:
    """The context in which a forward pass runs."""
    import torch

    return torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bf16")
