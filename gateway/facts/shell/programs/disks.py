"""Devices, partitions, file systems."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each
from gateway.model import Effect

_DESTROYING = """
    mkfs mkswap wipefs blkdiscard sgdisk sfdisk mke2fs tune2fs resize2fs fsck e2fsck cryptsetup pvremove vgremove
    lvremove lvreduce pvcreate vgcreate lvcreate mdadm hdparm badblocks debugfs xfs_repair swapoff swapon losetup
    dmsetup zpool zfs btrfs nvme flashrom mkfs.ext4 mkfs.ext3 mkfs.ext2 mkfs.xfs mkfs.vfat mkfs.btrfs mkfs.ntfs
    mkfs.fat mkfs.f2fs mkdosfs
"""


def _device(call: Call) -> str | None:
    call.add(Effect.DESTRUCTIVE)
    for path in call.args:
        if path.startswith("/"):
            call.resource("file", path, Effect.DESTRUCTIVE)
    return None


def _partitions(call: Call) -> str | None:
    if any(arg in {"-l", "--list", "-p", "print", "-s", "-lu"} for arg in call.args):
        call.add(Effect.READ)
        return None
    return _device(call)


def _mount(call: Call) -> str | None:
    if not call.args or (call.args[0] in {"-l", "-t"} and len(call.args) <= 2):
        call.add(Effect.READ)
    else:
        call.add(Effect.PRIVILEGE)
        if call.name == "umount":
            call.add(Effect.DESTRUCTIVE)
    return None


HANDLERS: Mapping[str, Handler] = {
    **each(_DESTROYING, _device),
    **each("fdisk parted cfdisk gdisk", _partitions),
    **each("mount umount fusermount", _mount),
}
