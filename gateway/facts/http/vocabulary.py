"""Verbs and nouns in the names of paths, methods and tools, by what they tell of a deed."""

from __future__ import annotations

_DESTROYING = """
    purge wipe truncate drop flush destroy shutdown terminate kill stop restart reboot poweroff halt erase clear evict
    uninstall undeploy decommission failover reset nuke prune rollback suspend deactivate drain empty seal saferestart safeexit
    exit quit quitquitquit quietdown forcemerge
"""
_DELETING = "delete remove del rm unlink discard archive trash expunge"
_PRIVILEGED = """
    role roles permission permissions grant grants revoke acl acls policy policies iam rbac binding bindings member members
    membership memberships collaborator collaborators admin admins token tokens apikey apikeys apitoken key keys credential
    credentials password passwords passwd secret secrets sso saml oidc scim mfa 2fa totp webhook webhooks hook hooks audit
    impersonate sudo login logins signin auth oauth owner owners ownership privilege privileges firewall acme certificate
    certificates cert certs trust promote elevate authorize invitation invitations invite protection protections protected
    security entitlements unseal access
"""
_EXECUTING = """
    exec execute eval evaluate shell console cmd command commands script scripts scripttext run runs invoke invocations spawn
    bash sh powershell terminal deploy deployments build builds trigger dispatch dispatches rce code notebook job jobs pipeline
    pipelines dagruns
"""
_READING = """
    get list read search find describe show lookup count stat view tail summarize explain browse inspect check validate preview glob
    grep diff fetch query scan retrieve filter compare estimate calculate whoami exists peek analyze suggest recommend
"""
_SHOWN = "count status head ping version info stats summary history schema tree"
_SENDING = "send email mail post publish upload export share forward notify tweet message sms transfer"
_CHANGING = """
    create update set put write edit add insert append patch replace rename move copy save merge close open approve cancel start
    enable disable activate pay refund assign comment reply commit push fork install register import sync apply migrate rewrite
    submit process mutate overwrite swap upsert revert restore load unload reload lock unlock mark toggle rotate renew generate
    regenerate issue sign ban unban block hide charge order buy sell withdraw deposit book schedule upgrade downgrade scale
    attach detach bind connect call emit pull clone checkout switch turn release fix modify change alter make accept reject
    convert repair refresh rebuild reindex resize delegate assume redeploy resume resolve ack acknowledge flip bump pin unpin
"""
_THINGS = """
    issue order comment commit block release book schedule charge message post share process call lock run runs job jobs build
    builds code script scripts notebook pipeline pipelines command commands deployments trigger dispatches import export archive
    fork merge patch change pull email mail sms open load scale transfer refund deposit switch turn invocations console
    terminal
"""
DELETING = frozenset(_DELETING.split())
DESTROYING = frozenset(_DESTROYING.split()) | {f"{verb}all" for verb in (*_DESTROYING.split(), *DELETING)}
PRIVILEGED = frozenset(_PRIVILEGED.split())
EXECUTING = frozenset(_EXECUTING.split())
READING = frozenset(_READING.split())
SHOWN = frozenset(_SHOWN.split())
"""Nouns of what is only looked at, where they end a name: `order_status`."""
SENDING = frozenset(_SENDING.split())
VERBS = READING | SHOWN | frozenset(_CHANGING.split()) | DELETING | DESTROYING | EXECUTING | SENDING
CLEAR_DEEDS = VERBS - READING - SHOWN - frozenset(_THINGS.split())
"""Verbs that are hardly ever the name of a thing, as `issue` or `order` are."""
