"""What reading, writing or removing a path means: secrets, guards of the system, devices, plain files.

A path may hold marks; it counts as everything that it may turn out to be.
"""

from __future__ import annotations

import posixpath
import re

from gateway.facts.shell.reading import Reading
from gateway.facts.shell.values import (
    CLASS,
    COUNT,
    DEEP,
    MARKS,
    QUESTION,
    STAR,
    TAME,
    WILD,
    matcher,
    static,
    words,
)
from gateway.model import Effect

_LONGEST = 4_096
_HOME = r"(?:~[^/]*|/root|/home/[^/]+|/Users/[^/]+|\$HOME)"
_SECRET = re.compile(
    r"""(?:
    # the system's own
    /etc/(?:.*shadow.*|master\.passwd|sudoers(?:\.d(?:/.*)?)?|security/opasswd|krb5\.keytab|ipsec\.secrets|ppp/.*-secrets
        |ssl/private(?:/.*)?|pki/tls/private(?:/.*)?|letsencrypt/(?:live|archive|keys|accounts)(?:/.*)?
        |ssh/ssh_host_.*_key|wireguard/.*|openvpn/.*|NetworkManager/system-connections(?:/.*)?
        |kubernetes/(?:.*\.conf|pki/.*)|rancher/.*|docker/.*\.key|ansible/vault.*|vault.*
        |mysql/debian\.cnf|grafana/grafana\.ini|wpa_supplicant/.*\.conf|corosync/authkey|exim4?/passwd\.client
        |dovecot/users|(?:open)?ldap/slapd\.conf|ceph/.*\.keyring|subversion/auth(?:/.*)?)
    |/proc/(?:[^/]+/(?:task/[^/]+/)?(?:environ|mem|auxv|fd/.*|root/.*|cwd/.*)|kcore|kmem|keys)
    |/dev/(?:mem|kmem|port|sd.*|nvme.*|vd.*|xvd.*|hd.*|mapper/.*|dm-.*|loop\d.*|md\d.*|disk/.*|input/.*)
    |(?:/var)?/run/(?:secrets|credentials|vault)(?:/.*)?|/var/run/docker\.sock
    |/var/lib/(?:kubelet|etcd|mysql|postgresql|docker|vault|sss|krb5kdc|cloud)(?:/.*)?
    |/var/(?:backups/.*shadow.*|spool/cron/.*|mail/.*|spool/mail/.*)|/var/log/(?:btmp|sudo-io/.*)
    |/tmp/krb5cc.*|/boot/grub/user\.cfg
    # what people and programs keep at home or beside their code
    |(?:.*/)?\.(?:ssh/(?!known_hosts|config|authorized_keys|.*\.pub\Z).*|gnupg(?:/.*)?|aws/(?:credentials|sso/.*|cli/.*)
        |azure(?:/.*)?|oci/.*|boto|s3cfg|kube(?:/.*)?|docker/config\.json|dockercfg|vault-token
        |config/(?:gcloud|gh|hub|helm|rclone|doctl|op|filezilla|chromium|google-chrome|sops|age)(?:/.*)?|mozilla/.*
        |gradle/gradle\.properties|subversion/auth(?:/.*)?|yarnrc\.yml|bundle/config|databrickscfg|snowsql/.*|kaggle/.*
        |fly/config\.yml|wgetrc|curlrc
        |netrc|pgpass|my\.cnf|mylogin\.cnf|pgadmin.*|git-credentials|npmrc|pypirc|terraformrc|terraform\.d/.*
        |cargo/credentials.*|gem/credentials|m2/settings\.xml|composer/auth\.json|smbcredentials|htpasswd|p12
        |password-store(?:/.*)?|local/share/keyrings(?:/.*)?|Xauthority|ICEauthority
        |[a-z]*_history|histfile|lesshst|viminfo|env(?:\.(?!example|sample|template|dist).*)?|envrc)
    # names that say it
    |(?:.*/)?(?:id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|identity|htpasswd|wp-config\.php|NTDS\.dit|master\.key|environ|database\.ya?ml
        |local_settings\.py|LocalSettings\.php|parameters\.ya?ml|tomcat-users\.xml|userlist\.txt|sssd\.conf
        |terraform\.tfstate(?:\..*)?|.*\.tfvars|kubeconfig.*|.*kubeconfig|service[-_]?account.*\.json|shadow(?:\.bak)?
        |[\w.-]*[-_.](?:rsa|dsa|ecdsa|ed25519)|(?:local|prod|production|app|django|flask|rails)[-_]?secrets?\.\w+
        |.*\.(?:key|keyring|kdbx?|keytab|p12|pfx|jks|keystore|ppk|ovpn|asc|gpg|pgp)|privkey.*\.pem|.*[-_.]key\.pem|key\.pem
        |(?:.*[-_.])?(?:priv|private|privkey|server|client|tls|host|ca)[-_.]?key(?:\.pem)?
        |credentials?(?:\.(?:json|ya?ml|xml|ini|txt|csv|db))?
        |secrets?(?:\.(?:json|ya?ml|toml|ini|txt|env|properties|enc))?
        |(?!.*\.(?:py|jsx?|tsx?|go|rs|java|kt|c|h|cc|cpp|hpp|md|rst|adoc|html|css|vue|swift|scala)\Z)
            (?:.*password.*|.*secret.*|.*credential.*)
        |.*passwd(?<!/etc/passwd)(?<!\Apasswd)|vault_pass.*|\.?pgpass.*
        |(?:.*[-_.])?token(?:\.(?:txt|json))?)
    )\Z""",
    re.VERBOSE | re.DOTALL,
)
_SECRET_PLACES = words(
    """
    /etc/shadow /etc/gshadow /etc/sudoers /etc/ssl/private/x.key /etc/ssh/ssh_host_rsa_key
    /root/.ssh/id_rsa /home/u/.ssh/id_rsa ~/.ssh/id_rsa .ssh/id_rsa id_rsa
    /root/.aws/credentials /home/u/.aws/credentials ~/.aws/credentials /root/.kube/config ~/.kube/config
    /root/.bash_history /home/u/.bash_history ~/.bash_history /root/.env /home/u/.env ~/.env .env
    ~/.netrc ~/.pgpass ~/.git-credentials ~/.docker/config.json /proc/1/environ /proc/self/environ
    /var/run/secrets/x/token /run/secrets/x /var/lib/kubelet/x /var/lib/mysql/x /var/lib/postgresql/x
    /var/spool/cron/root /dev/sda /dev/mem
    """
)
"""Examples that globs are held against."""
_PLAIN_DEVICE = re.compile(r"/dev/(?:null|zero|full|stdin|stdout|stderr|tty|u?random|fd/.*|pts/.*)\Z")
_DEVICE = re.compile(
    r"/dev/(?!shm/|null|zero|full|stdin|stdout|stderr|tty|u?random|fd/|pts/|tcp/|udp/|mqueue/)"
)
_NETWORK = re.compile(r"/dev/(?:tcp|udp)/([^/]*)")
_GUARD = re.compile(
    r"""(?:
    # who may log in, as whom, from where; what starts by itself; what is watched
    /etc/(?:passwd|group|g?shadow|sub[ug]id|sudo|doas|pam|security|securetty|shells|skel|login|nsswitch|polkit|ldap|sssd|krb5
        |ssh|ssl|pki|ca-cert|vault|hosts|resolv|network/|NetworkManager|ppp/|dhcp|exports|iptables|nftables|ufw
        |firewalld|fail2ban|apparmor|selinux|audit|rsyslog|syslog|logrotate|cron|at\.|crontab|anacrontab|systemd|init
        |rc|udev|fstab|grub|modprobe|modules|sysctl|ld\.so|default/|environment|profile|bash|zsh|xdg|update-motd
        |apt|yum|dnf|docker|containerd|kubernetes).*
    |/(?:boot|bin|sbin|lib\w*|usr/(?:local/)?(?:bin|sbin|lib\w*)|root)(?:/.*)?|/opt/.*/bin/.*|/(?:proc|sys)/.*
    |/var/spool/(?:cron|at)(?:/.*)?|/var/log/(?:audit|auth|secure|wtmp|btmp|lastlog|sudo|faillog|journal).*
    |/var/run/(?:docker|utmp|containerd).*|/run/(?:docker|systemd|utmp).*
    |/var/lib/(?:kubelet|etcd|systemd|cloud|dpkg|rpm|docker|containerd).*
    # the same for one user
    |(?:.*/)?\.(?:ssh|gnupg|aws|kube|docker|config/(?:systemd|autostart|git))(?:/.*)?
    |(?:.*/)?\.(?:bash\w*|profile|zsh\w*|z?login|zprofile|cshrc|kshrc|inputrc|vimrc|exrc|envrc|psqlrc|gdbinit|lesskey
        |tmux\.conf|screenrc|pam_environment|netrc|pgpass|my\.cnf|npmrc|pypirc|gitconfig|git/(?:hooks|config).*
        |rhosts|shosts|forward|k5login|Xauthority)
    |(?:.*/)?authorized_keys2?|.*\.service|.*\.timer
    )\Z""",
    re.VERBOSE | re.DOTALL,
)
_ABOVE_GUARDS = frozenset(
    {"", "/etc", "/usr", "/usr/local", "/var", "/var/lib", "/var/log", "/var/spool", "/run", "/home", "~"}
)
"""Directories that hold guards."""
_RUNS_LATER = re.compile(
    r""".*(?:cron|/systemd/|\.service|\.timer|/init\.d/|rc\.local|profile|\.bash|\.zsh|\.vimrc|\.gdbinit|\.ssh/rc
    |/hooks/|/s?bin/|ld\.so\.preload|update-motd|udev|core_pattern).*""",
    re.VERBOSE | re.DOTALL,
)
_LOG = re.compile(r"/var/(?:log|spool)/|.*(?:_history|\.lesshst|/wtmp|/btmp|/lastlog|/utmp)\Z", re.DOTALL)
_FATAL = re.compile(
    r"""/proc/sysrq-trigger|/proc/[^/]+/oom|/sys/power/|/sys/kernel/debug|.*/cgroup\.kill
    |/sys/(?:class|block|bus|devices)/.*(?:delete|remove|unbind|reset|online)\Z""",
    re.VERBOSE | re.DOTALL,
)


def normal(path: str, *, directory: str = "") -> str:
    """One form of a path: no doubled slashes, no dots, `~` for the own home; relative stays relative."""
    if directory and path and path[0] not in "/~" + WILD:
        path = f"{directory.rstrip('/')}/{path}"
    normalised = posixpath.normpath(path) if path else path
    if normalised.startswith("//"):
        normalised = normalised[1:]
    for link, meant in (
        ("/proc/self/root", ""),
        ("/proc/1/root", ""),
        ("/proc/self/cwd", "."),
        ("/proc/thread-self/root", ""),
    ):
        if normalised.startswith(link + "/"):
            normalised = meant + normalised[len(link) :]
    return normalised


def secret(path: str, *, deep: bool = False) -> bool:
    """Whether a normalised path is, or by its marks or what lies below it may be, a secret."""
    if path == DEEP:  # what a repository tracks
        return False
    if _SECRET.match(path):
        return True
    if deep:
        if path in {
            "/",
            "~",
            "/root",
            "/home",
            "/etc",
            "/proc",
            "/run",
            "/var/run",
            "/var/lib",
            "/var",
            "/dev",
            "~/..",
            "..",
        } or re.fullmatch(_HOME, path):
            return True
        if _SECRET.match(path + "/x"):
            return True
    if static(path) or path[0] in WILD:
        return False
    if path[0] in STAR and "/" not in path:
        pattern = matcher(path)
        return path.strip(STAR) != "" and any(pattern.match(p) for p in _SECRET_PLACES if "/" not in p)
    if any(_SECRET.match(path.replace(f"{DEEP}/", "").translate(_filled(stars))) for stars in ("x", "")):
        return True
    if path.endswith(".pem") and "/cert" not in path:
        return True  # keys are among them
    if WILD in path and not path.startswith(
        ("/etc", "/root", "~", "/home", "/proc", "/run", "/var/run", "/" + WILD)
    ):
        return False
    pattern = matcher(path)
    return any(pattern.match(place) for place in _SECRET_PLACES)


def guarded(path: str) -> bool:
    """Whether writing there changes who may do what."""
    path = normal(path)
    return _GUARD.match(path) is not None or (path.endswith("/" + DEEP) and path[:-2] in _ABOVE_GUARDS)


def _filled(stars: str) -> dict[int, str]:
    """Something that each mark may stand for."""
    return {
        ord(STAR): stars,
        ord(DEEP): "x",
        ord(TAME): "1",
        ord(COUNT): "1",
        ord(CLASS): "x",
        ord(QUESTION): "x",
    }


def list_path(reading: Reading, path: str, *, directory: str = "") -> None:
    """Names and metadata of a path are looked at."""
    if path.startswith("-") or path == WILD:
        return
    reading.resource("file", normal(path, directory=directory), Effect.READ)


def read_path(reading: Reading, path: str, *, directory: str = "", deep: bool = False) -> None:
    """The content of a path is read; `deep`: of everything below it too."""
    path = normal(path, directory=directory)
    if not path or path == "-":
        reading.add(Effect.READ)
        return
    if len(path) > _LONGEST:
        reading.doubt("a path is longer than a path can be")
        return
    network = _NETWORK.match(path)
    if network:
        reading.hosts[network[1]] = None
        reading.resource("host", network[1], Effect.EXFIL)
        return
    if _PLAIN_DEVICE.match(path):
        reading.add(Effect.READ)
        return
    if WILD in path:  # it may climb out of whatever stands before it
        reading.doubt("which file is read is not known")
    reading.resource("file", path, Effect.READ)
    if secret(path, deep=deep or path.endswith(DEEP)) or (
        path.endswith("/" + DEEP) and secret(path[:-2], deep=True)
    ):
        reading.resource("file", path, Effect.EXFIL)


def write_path(reading: Reading, path: str, *, directory: str = "", truncates: bool = False) -> None:
    """The content of a path is changed; `truncates`: what it held is lost."""
    path = normal(path, directory=directory)
    if len(path) > _LONGEST:
        reading.doubt("a path is longer than a path can be")
        return
    if not path or path == "-" or _PLAIN_DEVICE.match(path):
        return
    network = _NETWORK.match(path)
    if network:
        reading.hosts[network[1]] = None
        reading.resource("host", network[1], Effect.EXFIL)
        return
    reading.resource("file", path, Effect.WRITE)
    if _DEVICE.match(path):
        reading.resource("file", path, Effect.DESTRUCTIVE)
    if _FATAL.match(path):
        reading.resource("file", path, Effect.DESTRUCTIVE)
    if guarded(path):
        reading.resource("file", path, Effect.PRIVILEGE)
    if _RUNS_LATER.match(path):
        reading.resource("file", path, Effect.EXEC)
    if truncates and _LOG.match(path):
        reading.resource("file", path, Effect.DESTRUCTIVE)
    if path.startswith(WILD):
        reading.doubt("which file is written is not known")


def remove_path(reading: Reading, path: str, *, directory: str = "", deep: bool = False) -> None:
    """A path is removed; `deep`: with everything below it."""
    path = normal(path, directory=directory)
    reading.resource("file", path, Effect.WRITE)
    if len(path) > _LONGEST:
        reading.doubt("a path is longer than a path can be")
        return
    if (
        deep
        or MARKS.search(path)
        or _GUARD.match(path)
        or _LOG.match(path)
        or _SECRET.match(path)
        or _DEVICE.match(path)
    ):
        reading.resource("file", path, Effect.DESTRUCTIVE)
    if _GUARD.match(path):
        reading.resource("file", path, Effect.PRIVILEGE)
