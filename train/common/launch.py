"""As many processes as `accelerate launch` was asked for, on a processor too.

For a CPU, Accelerate (1.15) leaves the starting of further processes to MPI: without it,
`accelerate launch --cpu --num_processes 2` starts one process, which would train alone.
"""

from __future__ import annotations

import os
import sys

STARTED = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")


def asked_for(command: list[str]) -> int:
    """The number of processes in a command line of `accelerate launch`; 1 when it names none."""
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import launch_command_parser

    start = next(
        (
            i
            for i, word in enumerate(command)
            if word == "launch" or word.endswith("accelerate-launch")
        ),
        None,
    )
    if start is None:
        return 1
    options = launch_command_parser().parse_args(command[start + 1 :])
    if options.num_processes is None and options.config_file is not None:
        return load_config_from_file(options.config_file).num_processes
    return options.num_processes or 1


def start_processes(module: str) -> None:
    """Replace this process by the launcher of all of them, when it alone was started though
    `accelerate launch` was asked for several on a CPU. Call it first; else it does nothing.
    """
    on_cpu = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("true", "1")
    several = "MASTER_PORT" in os.environ and not any(name in os.environ for name in STARTED)
    if not (on_cpu and several):
        return
    import psutil

    count = asked_for(psutil.Process().parent().cmdline())
    if count > 1:
        sys.stdout.flush()
        os.execv(
            sys.executable,
            [
                sys.executable,
                "-m",
                "torch.distributed.run",
                "--standalone",
                "--nproc_per_node",
                str(count),
                "-m",
                module,
                *sys.argv[1:],
            ],
        )
