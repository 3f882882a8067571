"""Users, kernel, power, daemons."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import words
from gateway.model import Effect


def _verbs(reads: str, *, otherwise: Effect, empty: Effect = Effect.READ) -> Handler:
    """A program whose first word among `reads` looks and whose others do what `otherwise` says."""
    known = frozenset(reads.split())

    def read(call: Call) -> str | None:
        verb = next((arg for arg in call.args if not arg.startswith("-") or arg in known), "")
        call.add(empty if not call.args else Effect.READ if verb in known else otherwise)
        return None

    return read


def _always(*effects: Effect) -> Handler:
    def read(call: Call) -> str | None:
        call.add(*effects)
        for operand in call.args:
            if (
                operand
                and not operand.startswith("-")
                and Effect.PRIVILEGE in effects
                and call.name in _ACCOUNTS
            ):
                call.resource("user", operand, Effect.PRIVILEGE)
        return None

    return read


_ACCOUNTS = words(
    """
    useradd adduser usermod userdel deluser passwd chpasswd groupadd addgroup groupmod groupdel delgroup
    gpasswd chage chsh chfn newusers vipw vigr visudo pwconv pwunconv grpconv saslpasswd2 htpasswd smbpasswd
    faillock pam_tally2 loginctl authselect authconfig realm kadmin kadmin.local ktutil kinit kdestroy
    """
)
_ENDING = """
    shutdown reboot halt poweroff init telinit killall killall5 pkill xkill skill slay rtcwake pm-suspend kexec crash
    initctl
"""
_GUARDING = """
    setenforce setsebool semanage semodule augenrules aa-disable aa-enforce aa-complain aa-teardown
    apparmor_parser insmod rmmod modprobe depmod update-grub grub-install grub-mkconfig update-initramfs dracut hwclock
    update-rc.d chkconfig rc-update ssh-copy-id ssh-add ssh-agent update-ca-certificates
    update-crypto-policies fips-mode-setup visudo tpm2_clear mokutil quotaon setquota edquota
"""
_SHOWING = """
    lsmod ausearch aureport mailq ntpq pvs vgs lvs pvdisplay vgdisplay lvdisplay showmount rpcinfo quota repquota
    needs-restarting
"""


def _fuser(call: Call) -> str | None:
    kills = any(arg.startswith("-") and "k" in arg for arg in call.args)
    call.add(Effect.DESTRUCTIVE if kills else Effect.READ)
    return None


def sftp_server(call: Call) -> str | None:
    """Each operation is judged on its own where the subsystem is spoken; a bare command line shows none of them."""
    return call.execute("a file server serves what the text does not show")


def _logrotate(call: Call) -> str | None:
    given = options(call.args, takes="sml", long="state mail log")
    call.add(Effect.READ)
    if not given.has("d", "debug", "version"):
        call.add(Effect.WRITE, Effect.EXEC)
    if given.has("f", "force"):
        call.add(Effect.DESTRUCTIVE)
    return None


def _logger(call: Call) -> str | None:
    given = options(call.args, takes="fipPntuT", long="file server socket tag priority port")
    call.add(Effect.WRITE)
    for path in given.values("f", "file"):
        call.read(path)
    if given.has("n", "server"):
        call.add(Effect.EXFIL)
    return None


def _ssh_keygen(call: Call) -> str | None:
    given = options(call.args, takes="abCDEfFIJKmMnNOPrRsStTVwWYz")
    if given.has("l", "B", "F") and not given.has("R", "H") and not given.has("D"):
        call.add(Effect.READ)
    elif given.has("y", "e"):
        call.add(Effect.READ)
        for path in given.values("f"):
            call.read(path)
    else:
        call.add(Effect.PRIVILEGE, Effect.WRITE)
    return None


def _daemon(call: Call) -> str | None:
    """A server's own program: it tells and tests its settings, or is started, stopped and told to read them again."""
    given = options(call.args, takes="cfgkpCDd")
    looks = (
        given.has("t", "T", "v", "V", "S", "M", "L", "l")
        or "configtest" in given.operands
        or "status" in given.operands
    )
    if call.name == "haproxy":
        looks = given.has("c", "v", "vv")
    call.add(Effect.READ if looks and not given.has("k", "s") else Effect.DESTRUCTIVE)
    if given.has("g", "C") or (call.name != "haproxy" and given.has("c", "f", "d")):
        call.execute("a server reads settings that may load what they name")
    return None


def _postconf(call: Call) -> str | None:
    call.add(Effect.PRIVILEGE if any(re.match(r"-\w*[eX#]", arg) for arg in call.args) else Effect.READ)
    return None


def _jcmd(call: Call) -> str | None:
    """A Java process answers or is told to do something."""
    verb = call.args[1] if len(call.args) > 1 else ""
    looks = re.match(
        r"(?:VM\.(?!.*set)|Thread\.print|GC\.(?:class_histogram|heap_info)|help|\Z|PerfCounter)", verb
    )
    call.add(Effect.READ if looks else Effect.DESTRUCTIVE)
    return None


def _jmap(call: Call) -> str | None:
    call.add(Effect.READ)
    for arg in call.args:
        if arg.startswith("-dump"):
            call.add(Effect.EXFIL)
            call.write(arg.rpartition("file=")[2], truncates=True)
    return None


def _chage(call: Call) -> str | None:
    call.add(Effect.READ if "-l" in call.args or "--list" in call.args else Effect.PRIVILEGE)
    return None


def _ldconfig(call: Call) -> str | None:
    call.add(Effect.READ if call.args in {("-p",), ("-v", "-N")} else Effect.PRIVILEGE)
    return None


def _terminal(call: Call) -> str | None:
    call.add(Effect.SESSION)
    return None


HANDLERS: Mapping[str, Handler] = {
    **each(_ACCOUNTS - {"chage", "loginctl"}, _always(Effect.PRIVILEGE)),
    "chage": _chage,
    "auditctl": _verbs("-l -s -v", otherwise=Effect.PRIVILEGE),
    "postconf": _postconf,
    "exim": _verbs("-bp -bpc -bV", otherwise=Effect.PRIVILEGE),
    "jcmd": _jcmd,
    "jmap": _jmap,
    **each(_ENDING, _always(Effect.DESTRUCTIVE)),
    **each(_GUARDING, _always(Effect.PRIVILEGE)),
    **each(_SHOWING, _always(Effect.READ)),
    **each("wall write ab", _always(Effect.WRITE)),
    **each("chronyd renice", _always(Effect.PRIVILEGE)),
    **each("postsuper stress stress-ng", _always(Effect.DESTRUCTIVE)),
    **each("reset clear stty tput setterm", _terminal),
    **each("nginx apachectl apache2ctl httpd haproxy sshd php-fpm", _daemon),
    "ssh-keygen": _ssh_keygen,
    "named-checkconf": _always(Effect.READ),
    "supervisorctl": _verbs(
        "status avail tail pid maintail version", otherwise=Effect.DESTRUCTIVE, empty=Effect.EXEC
    ),
    "pm2": _verbs(
        "list ls status show describe logs monit info prettylist jlist", otherwise=Effect.DESTRUCTIVE
    ),
    "fuser": _fuser,
    "sync": _always(Effect.SESSION),
    "postqueue": _verbs("-p -j", otherwise=Effect.WRITE),
    "logrotate": _logrotate,
    "logger": _logger,
    "ldconfig": _ldconfig,
    "ntpdate": _verbs("-q", otherwise=Effect.PRIVILEGE),
    "needrestart": _verbs("-b", otherwise=Effect.READ),
    "smartctl": _verbs("-a -A -H -i -x --all --info --health -l --scan", otherwise=Effect.WRITE),
    "sftp-server": sftp_server,
}
