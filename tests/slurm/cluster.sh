# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# A Slurm of two nodes on this machine's loopback, with everything it writes in one temporary folder. To be sourced:
#
#   cluster_start          brings it up; ends the script with 77 and one line where that cannot be
#   cluster_stop           ends all of it and removes the folder; also runs when the script ends
#   kill_node N            what a power cut does to node N: slurmd and all that runs under it are gone at once
#   restore_node N         node N comes back, with nothing on it
#   node_is N STATE...     is its state one of these (idle, allocated, down, ...)?
#   job_state ID           PENDING, RUNNING, COMPLETED, ...; empty: Slurm does not know it any more
#   wait_until SECONDS WHAT COMMAND...
#                          waits for the command to answer true; false, and a line, when it never did
#
# Afterwards sbatch, squeue and the others of this shell talk to it (SLURM_CONF), and CLUSTER is the folder, which is a
# file system shared by the nodes. A node has a host name (n1, n2) and processes of its own where the kernel lets us
# (namespaces); elsewhere (and with CLUSTER_PLAIN=1) its processes are found by their environment.

CLUSTER=
cluster_nodes=(1 2)
cluster_timeout=8 # seconds without an answer until a node counts as down
declare -A cluster_pid=()

cluster_skip() {
    echo "skipped: $*"
    exit 77
}

wait_until() {
    local limit=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        if [ $SECONDS -ge $limit ]; then
            echo "waited in vain: $what" >&2
            return 1
        fi
        sleep 0.2
    done
}

# A port of loopback that nobody listens at, none twice.
cluster_ports=' '
cluster_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        [[ $cluster_ports != *" $port "* ]] || continue
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    cluster_ports+="$port "
    cluster_found=$port
}

cluster_configure() {
    local node cpus=${CLUSTER_CPUS:-1}
    mkdir -p "$CLUSTER"/{munge,state,log} || return
    head -c 1024 /dev/urandom >"$CLUSTER/munge/key"
    chmod 600 "$CLUSTER/munge/key"
    cluster_port
    cat >"$CLUSTER/slurm.conf" <<CONF
ClusterName=faultline
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$cluster_found
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$CLUSTER/munge/socket,cred_expire=5
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=2,sched_interval=5,batch_sched_delay=1
ReturnToService=2
SlurmdTimeout=$cluster_timeout
SlurmdParameters=config_overrides
MessageTimeout=5
KillWait=5
MinJobAge=3600
StateSaveLocation=$CLUSTER/state
SlurmdSpoolDir=$CLUSTER/spool-%n
SlurmctldPidFile=$CLUSTER/slurmctld.pid
SlurmdPidFile=$CLUSTER/slurmd-%n.pid
SlurmctldLogFile=$CLUSTER/log/slurmctld
SlurmdLogFile=$CLUSTER/log/slurmd-%n
CONF
    for node in "${cluster_nodes[@]}"; do
        cluster_port
        echo "NodeName=n$node NodeHostname=localhost NodeAddr=127.0.0.1 Port=$cluster_found CPUs=$cpus State=UNKNOWN"
    done >>"$CLUSTER/slurm.conf"
    echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP" >>"$CLUSTER/slurm.conf"
    export SLURM_CONF=$CLUSTER/slurm.conf
}

# cluster_daemon NAME COMMAND...: in the background, apart from this terminal; its PID in cluster_pid[NAME].
cluster_daemon() {
    local name=$1
    shift
    setsid "$@" >>"$CLUSTER/log/$name.out" 2>&1 </dev/null &
    cluster_pid[$name]=$!
    disown "$!"
}

cluster_failed() {
    local log
    for log in "$CLUSTER"/log/*; do
        sed "s|^|${log##*/}: |" "$log" | grep -iE 'error|fatal|fail|denied|permitted' | tail -n 3 >&2
    done
    cluster_skip "Slurm does not come up here: $*"
}

cluster_start() {
    local command node
    [ "$(id -u)" = 0 ] || cluster_skip "a Slurm of one's own needs root here (slurmd starts jobs as their owners)"
    for command in munged slurmctld slurmd sbatch squeue scancel scontrol sinfo; do
        command -v $command >/dev/null ||
            cluster_skip "no $command: install the packages slurmctld slurmd slurm-client munge"
    done
    CLUSTER=$(mktemp -d "${TMPDIR:-/tmp}/faultline-slurm.XXXXXX") || exit 2
    trap cluster_stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    chmod 755 "$CLUSTER"
    cluster_configure || cluster_skip "cannot write to $CLUSTER"
    cluster_own=()
    if [ -z "${CLUSTER_PLAIN:-}" ] && unshare --pid --fork --mount-proc --uts hostname n1 2>/dev/null; then
        cluster_own=(unshare --pid --fork --kill-child --mount-proc --uts)
    fi
    # --force: it would rather not have its socket in a folder that others may not enter.
    cluster_daemon munged munged --foreground --force --socket="$CLUSTER/munge/socket" --key-file="$CLUSTER/munge/key" \
        --pid-file="$CLUSTER/munge/pid" --log-file="$CLUSTER/log/munged" --seed-file="$CLUSTER/munge/seed" --num-threads=2
    wait_until 10 "munged" test -S "$CLUSTER/munge/socket" || cluster_failed munged
    cluster_daemon slurmctld slurmctld -D -c -f "$SLURM_CONF"
    wait_until 15 "slurmctld" eval 'scontrol ping 2>/dev/null | grep -q "is UP"' || cluster_failed slurmctld
    for node in "${cluster_nodes[@]}"; do restore_node "$node" || cluster_failed "slurmd of n$node"; done
}

node_is() {
    local node=$1 state want
    shift
    state=$(sinfo -h -n "n$node" -o %T 2>/dev/null)
    state=${state%%[*~#\$@+]*}
    for want; do [ "$state" != "$want" ] || return 0; done
    return 1
}

# Jobs have the name of their node in the environment; slurmstepd, which starts them, is their parent.
cluster_steps() { # N
    local file pid
    for file in /proc/[0-9]*/environ; do
        pid=${file#/proc/}
        pid=${pid%/environ}
        if { tr '\0' '\n' <"$file" | grep -qxF "SLURMD_NODENAME=n$1"; } 2>/dev/null &&
            { tr '\0' '\n' <"$file" | grep -qxF "SLURM_CONF=$SLURM_CONF"; } 2>/dev/null; then
            echo "$pid"
            awk '{ sub(/.*\) /, ""); print $2 }' "/proc/$pid/stat" 2>/dev/null
        fi
    done | sort -u | while read -r pid; do
        # The parent of an orphan is nobody of ours.
        if [ "$pid" -gt 1 ] && [ "$pid" != $$ ]; then echo "$pid"; fi
    done
}

kill_node() {
    local pid
    pid=${cluster_pid[n$1]:-}
    if [ ${#cluster_own[@]} -gt 0 ]; then
        # The first process of the node's namespace: with it the kernel ends all others.
        pid=$(<"/proc/$pid/task/$pid/children") && kill -KILL "${pid%% *}"
    else
        [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
        while pid=$(cluster_steps "$1") && [ -n "$pid" ]; do
            # One PID a word.
            # shellcheck disable=SC2086
            kill -KILL $pid 2>/dev/null
        done
    fi
    wait_until 10 "the end of n$1" cluster_gone "${cluster_pid[n$1]}"
    unset "cluster_pid[n$1]"
}

cluster_gone() { ! kill -0 "$1" 2>/dev/null; }

restore_node() {
    mkdir -p "$CLUSTER/spool-n$1"
    if [ ${#cluster_own[@]} -gt 0 ]; then
        # The shell expands its own.
        # shellcheck disable=SC2016
        cluster_daemon "n$1" "${cluster_own[@]}" sh -c 'hostname "$1" && exec slurmd -D -N "$1" -f "$2"' sh "n$1" "$SLURM_CONF"
    else
        cluster_daemon "n$1" slurmd -D -N "n$1" -f "$SLURM_CONF"
    fi
    wait_until 30 "n$1 to be idle" node_is "$1" idle mixed allocated completing
}

job_state() { scontrol -o show job "$1" 2>/dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p;T;q'; }

cluster_stop() {
    local code=$? node pid
    trap - EXIT
    [ -n "$CLUSTER" ] || return $code
    for node in "${cluster_nodes[@]}"; do [ -z "${cluster_pid[n$node]:-}" ] || kill_node "$node"; done
    for node in slurmctld munged; do
        pid=${cluster_pid[$node]:-}
        [ -n "$pid" ] || continue
        kill -TERM "$pid" 2>/dev/null
        wait_until 5 "the end of $node" cluster_gone "$pid" || kill -KILL "$pid" 2>/dev/null
    done
    cluster_pid=()
    [ -n "${CLUSTER_KEEP:-}" ] || rm -rf "$CLUSTER"
    return $code
}
