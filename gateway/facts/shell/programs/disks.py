"""Devices, partitions, file systems."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each
from gateway.facts.shell.values import words
from gateway.model import Effect

_DESTROYING = words(
    """
    mkfs mkfs.ext2 mkfs.ext3 mkfs.ext4 mkfs.xfs mkfs.vfat mkfs.btrfs mkfs.ntfs mkfs.fat mkfs.f2fs mkdosfs
    mke2fs mkswap wipefs blkdiscard resize2fs badblocks debugfs flashrom swapoff xfs_repair xfs_growfs
    growpart partprobe pvcreate pvremove vgcreate vgremove vgextend vgreduce lvcreate lvremove lvreduce
    lvextend lvresize
    """
)
_LOOKS: Mapping[str, frozenset[str]] = {
    "mdadm": words("--detail -D --examine -E --query -Q --detail-platform --version"),
    "zpool": words("status list get history iostat events"),
    "zfs": words("list get version"),
    "btrfs": words(
        """
        filesystem/show filesystem/df filesystem/usage fi/show fi/df fi/usage subvolume/list device/stats
        device/usage scrub/status
        """
    ),
    "swapon": words("--show -s --summary"),
    "losetup": words("-a --all -l --list -j"),
    "dmsetup": words("ls info status version deps targets"),
    "cryptsetup": words("status isLuks luksUUID --version"),
    "hdparm": words("-I -i -g -C"),
    "tune2fs": words("-l"),
    "dumpe2fs": words("-h"),
    "fsck": words("-N -n"),
    "e2fsck": words("-n"),
    "nvme": words("list smart-log id-ctrl id-ns list-subsys error-log"),
    "xfs_info": frozenset(),
    "fdisk": words("-l --list -lu"),
    "sfdisk": words("-l --list -d --dump -J"),
    "sgdisk": words("-p --print"),
    "gdisk": words("-l"),
    "cfdisk": frozenset(),
    "parted": words("-l --list print"),
}
"""What only looks, of programs that do else what they are told to a device."""
_PARTED_WORDS = words("print free all devices unit s B MB MiB GB GiB")


def _device(call: Call) -> str | None:
    call.add(Effect.DESTRUCTIVE)
    for path in call.args:
        if path.startswith("/"):
            call.resource("file", path, Effect.DESTRUCTIVE)
    return None


def _looking_device(call: Call) -> str | None:
    looks = _LOOKS[call.name]
    verbs = [arg for arg in call.args if not arg.startswith(("-", "/"))]
    if call.name == "parted":
        looking = bool(looks.intersection(call.args)) and not set(verbs) - _PARTED_WORDS
    else:
        looking = bool(
            looks.intersection(
                (*(arg.partition("=")[0] for arg in call.args[:1]), *verbs[:1], "/".join(verbs[:2]))
            )
        )
    if looking or call.name == "xfs_info" or (not call.args and call.name in {"losetup", "swapon"}):
        call.add(Effect.READ)
        return None
    return _device(call)


def _mount(call: Call) -> str | None:
    if call.name == "mount" and (not call.args or (call.args[0] in {"-l", "-t"} and len(call.args) <= 2)):
        call.add(Effect.READ)
    else:
        call.add(Effect.PRIVILEGE)
        if call.name == "umount":
            call.add(Effect.DESTRUCTIVE)
    return None


HANDLERS: Mapping[str, Handler] = {
    **each(_DESTROYING, _device),
    **each(_LOOKS, _looking_device),
    **each("mount umount fusermount", _mount),
}
