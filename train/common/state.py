"""The state of a run on disk, whole or not at all, at moments that every process agrees on."""

from __future__ import annotations

import shutil
from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from cxr.files import replace_folder, write_json

POSITION = "position.json"


def decided(accelerator: Accelerator, due: bool) -> bool:
    """The main process' answer, on every process: clocks differ, and a state is saved by all or
    by none. Every process must ask.
    """
    if accelerator.num_processes == 1:
        return due
    return broadcast_object_list([due])[0]


def save_state(accelerator: Accelerator, folder: Path, position: dict) -> None:
    """Write what accelerator.load_state reads, and position.json; every process must call it.

    It is written beside `folder` and takes its name at the end, so that a kill at any moment
    leaves this state or the one before.
    """
    new = folder.with_name(f".{folder.name}.new")
    if accelerator.is_main_process:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
    accelerator.wait_for_everyone()
    accelerator.save_state(str(new))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        write_json(new / POSITION, position)
        replace_folder(new, folder)
    accelerator.wait_for_everyone()
