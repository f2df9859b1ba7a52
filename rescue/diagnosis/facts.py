"""The closed list of facts that a diagnosis rule may use.

A fact is ``group.name``.  The groups ``run``, ``pod`` and ``memory`` describe the whole replay and
may stand in every rule; each other group describes one subject (a failing file call, a connection,
an exception …), of which a replay can have many.

``support`` says how much ties a subject to the death of the program:

* ``named``: the process that died had this failure, and its last words name it
* ``last``: it was that process's last failing call, right before its end, and its words blame nothing else
* ``mentioned``: the program's words name it, but no such call was seen (not traced, or no traced call)
* ``present``: the process that died had this failure some time before
* ``configured``: the command line or the environment names it, and no such call was seen
* ``none``: another process had it, or the program did not fail
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rescue.model import Evidence

Value = str | int | float | bool | None

GLOBAL_GROUPS = ("run", "pod", "memory")

FACTS: dict[str, str] = {
    "run.ended": "how the replay ended: exited, signaled, stopped, timeout, lost, failed; empty without a replay",
    "run.failed": "the program ended by itself, and not with 0; without a replay: the original did",
    "run.exit_code": "exit code of the replay",
    "run.signal": "signal that ended the main program",
    "run.program": "the program that was replayed",
    "run.traced": "system calls were traced",
    "run.silent": "the program printed nothing",
    "run.seconds": "how long the replay ran",
    "run.left_behind": "programs that the main program had started and that still ran when it ended",
    "run.complains": "the last words speak of an error",
    "run.last_words": "the last lines that the program printed",
    "pod.exit_code": "exit code of the original container's last end",
    "pod.reason": "the kubelet's reason for it, such as OOMKilled",
    "pod.message": "the kubelet's message for it",
    "pod.restart_policy": "restart policy of the container",
    "pod.is_init": "the container is an init container that must end",
    "pod.clone_reason": "reason of the clone's own last end",
    "pod.gains_privileges": "setuid and file capabilities work without strace (allowPrivilegeEscalation, drop ALL)",
    "pod.user": "numeric user of the container",
    "pod.namespace": "namespace of the pod",
    "memory.limit_mib": "memory limit of the container, MiB; 0 for none",
    "memory.peak_mib": "highest memory of the replay, MiB",
    "memory.peak_ratio": "highest memory divided by the limit",
    "memory.oom_kills": "processes that the kernel killed for memory during the replay",
    "memory.growth_mib_s": "growth before the peak, MiB per second",
    "memory.largest": "the process that held most",
    "file.path": "absolute path",
    "file.errno": "error of the call",
    "file.call": "name of the system call; empty when only the program's words tell",
    "file.support": "see above",
    "file.calls_left": "traced calls of the process from this one to its end",
    "file.vague": "the last words speak of such an error without a name",
    "file.original_said": "the original container's log names the path too",
    "file.creating": "the call would have created the file",
    "file.volume": "kind of volume that holds the path; empty for the image",
    "file.volume_name": "name of the volume in the pod",
    "file.mount": "mountPath",
    "file.sub_path": "the mount uses subPath",
    "file.mount_read_only": "the mount or its kind of volume is read-only",
    "file.altered": "what the clone made of the volume: empty, read-only or nothing",
    "file.root_read_only": "readOnlyRootFilesystem is set",
    "file.object": "ConfigMap, Secret or claim behind the path",
    "file.object_kind": "its kind",
    "file.key": "key that the path stands for",
    "file.key_state": "absent, present, unprojected, no object, or unknown",
    "file.nearest_key": "the most similar key that exists",
    "file.keys": "the keys that exist",
    "file.mode": "mode of the files of the volume, octal",
    "file.user": "user of the process",
    "file.fs_group": "the pod's fsGroup",
    "file.is_token": "the service account's token folder",
    "program.name": "the program as it was called",
    "program.errno": "why it could not be started",
    "program.main": "it is the container's own command",
    "program.exists": "the file itself exists",
    "program.interpreter": "the interpreter that the program's words name",
    "program.carriage_return": "a carriage return stands in the interpreter's name",
    "program.support": "see above",
    "program.volume": "kind of volume that holds it",
    "program.volume_name": "name of that volume",
    "program.object": "ConfigMap, Secret or claim behind it",
    "program.mode": "mode of the files of that volume, octal",
    "library.name": "shared library or symbol version",
    "library.problem": "missing, version or symbol",
    "library.needed_by": "who needs it",
    "library.support": "see above",
    "connection.peer": "address and port, or path of a UNIX socket",
    "connection.host": "address or name",
    "connection.port": "port",
    "connection.path": "path of a UNIX socket",
    "connection.errno": "error",
    "connection.count": "how often it failed",
    "connection.target": "Service or Pod behind the address",
    "connection.problem": "what is wrong with it, as far as the cluster's objects tell",
    "connection.support": "see above",
    "name.host": "name that did not resolve; empty when the program did not say it",
    "name.server": "DNS server that was asked",
    "name.similar": "a Service with a similar name",
    "name.is_service": "a Service of this name exists in the namespace",
    "name.support": "see above",
    "bind.port": "port",
    "bind.address": "address and port, or path of a UNIX socket",
    "bind.errno": "error",
    "bind.user": "user of the process",
    "bind.holder": "who has the port, as far as trace and manifest tell",
    "bind.original_said": "the original container's log says the same",
    "bind.support": "see above",
    "identity.call": "the call that needs a privilege",
    "identity.support": "see above",
    "identity.user": "user of the process",
    "space.path": "file that could not be written",
    "space.support": "see above",
    "death.signal": "signal that killed a process",
    "death.program": "program that it killed",
    "death.in_child": "a child of the main program was killed, not itself",
    "death.decides": "the end of the main program is this death, or follows from it",
    "death.fault": "what the kernel reported with the signal",
    "death.sender": "self, another process or kernel; empty if not known",
    "refusal.kind": "what the program itself refuses: content or mode of a file, variable, its value, argument, usage",
    "refusal.name": "path, variable or argument",
    "refusal.text": "the words that say so",
    "refusal.named": "the words name it; else it was concluded",
    "refusal.words": "how surely the words are about a variable: exact, usual, loose",
    "refusal.command": "command line of the program that speaks",
    "refusal.state": "what the manifest has for the variable: unset, empty, no key, unknown",
    "refusal.nearest": "a similar variable or key that exists",
    "refusal.volume": "kind of volume that holds the file; empty for the image",
    "refusal.volume_name": "name of that volume",
    "refusal.object": "ConfigMap or Secret behind the file or variable",
    "refusal.object_kind": "its kind",
    "refusal.key": "its key",
    "refusal.fs_group": "the pod's fsGroup",
    "tls.problem": "plain (the other side does not speak TLS) or trust (its certificate is not accepted)",
    "tls.text": "the words that say so",
    "tls.peer": "address and port of the last connection, if any",
    "tls.target": "Service or Pod behind it",
    "tls.support": "see above",
    "attempt.peer": "address and port that were tried last",
    "attempt.count": "how often, by any process",
    "attempt.errno": "how the last attempt ended; EINPROGRESS: not seen",
    "attempt.target": "Service or Pod behind the address",
    "attempt.problem": "what is wrong with it, as far as the cluster's objects tell",
    "attempt.specific": "the words tell an error of the system, which a more exact rule explains",
    "step.command": "command line of the last child that failed",
    "step.exit_code": "its exit code",
    "step.decides": "no later child, and the program ended with the same code",
    "step.silent": "nothing was printed",
    "exhausted.call": "the call that found no free descriptor, process or memory",
    "exhausted.errno": "EMFILE, ENFILE, EAGAIN or ENOMEM",
    "exhausted.text": "the words that say so",
    "exhausted.support": "see above",
    "exception.language": "runtime",
    "exception.type": "class of the exception",
    "exception.text": "its message",
    "exception.last": "nothing of substance was printed after it",
    "exception.sure": "printed by the runtime itself, so it was not handled",
    "exception.system": "it tells of an error of the system, which a more exact rule may explain",
    "exception.out_of_memory": "the runtime found no room in its own heap",
    "exception.clone_only": "it names a path of a claim, empty in the clone, and the original says no such thing",
    "reference.kind": "ConfigMap or Secret that a container misses before it can start",
    "reference.object": "its name",
    "reference.key": "key that it lacks; empty when the whole object is missing",
    "reference.by": "who needs it: variable, envFrom, volume or file of one; empty when the manifest does not tell",
    "reference.state": "no object, no key, there (by now), or unknown (it could not be read)",
    "reference.told": "the kubelet names it",
    "reference.blocks": "the kubelet cannot get past it, whatever it said",
    "reference.nearest": "a similar object or key that exists",
    "reference.keys": "the keys that exist",
    "reference.others": "what else is missing",
    "claim.name": "PersistentVolumeClaim that keeps the pod from a node, or from its volumes",
    "claim.volume": "volume of the pod that needs it",
    "claim.state": "missing, unbound, lost, leaving (it is being deleted), bound, or unknown (it could not be read)",
    "claim.told": "scheduler or kubelet speak of it",
    "claim.storage_class": "its storage class",
    "claim.words": "the last event of the claim",
    "claim.nearest": "a similar claim that exists",
    "claim.others": "other claims of the pod that are not usable",
    "image.name": "the image as the manifest has it",
    "image.registry": "host of its registry",
    "image.problem": "name, never, platform, space, rate, tls, absent or denied, denied, absent, unreachable, server, "
    "signature, or other",
    "image.words": "what runtime or registry say",
    "image.lookup": "the name of a server could not be resolved",
    "image.policy": "imagePullPolicy",
    "image.secrets": "what there is to log in with, in a sentence",
    "image.secrets_gap": "none, missing, other (for other registries); empty when there is no gap, or not known",
    "creation.problem": "root, user name, sub path, no volume, name taken, no command, slow, cache, volume, in use, "
    "sandbox, or other",
    "creation.words": "what kubelet or runtime say",
    "creation.user": "the image's user, by name",
    "creation.set_at": "where runAsNonRoot is set",
    "creation.volume": "volume that the words name",
    "creation.volume_kind": "its kind, if it is a volume of the pod",
    "creation.sub_path": "subPath of its mount",
    "probe.kind": "liveness, startup or postStart",
    "probe.text": "what the kubelet says",
    "probe.killed": "the kubelet killed the container for it",
    "probe.count": "how often",
}

GROUPS = frozenset(name.split(".")[0] for name in FACTS)


@dataclass(frozen=True)
class Subject:
    """One thing that a rule can judge.

    ``about`` is its group; ``values`` are its facts by full name, a missing one is None;
    subjects of one group come in order of suspicion.  Raises ValueError for an unknown fact.
    """

    about: str
    values: Mapping[str, Value]
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        unknown = sorted(set(self.values) - set(FACTS))
        if unknown:
            raise ValueError(f"unknown facts: {', '.join(unknown)}")


def prefixed(group: str, **values: Value) -> dict[str, Value]:
    """``prefixed("file", path="/x")`` is ``{"file.path": "/x"}``."""
    return {f"{group}.{name}": value for name, value in values.items()}
