# shellcheck shell=bash
# Messages, the log, the lock. Read by ../../faultline, never run alone.

# The file that takes the output of apt, meson and ninja. Shown to people relative to the project.
FL_LOG=$FL_BUILD/setup.log

fl_say() { printf 'faultline: %s\n' "$*" >&2; }

# fl_die WHAT...: one line (what, where, what to do), exit code 2.
fl_die() {
    fl_say "$*"
    exit 2
}

# A path as people see it: relative to the project when it is inside.
fl_shown() {
    case $1 in
        "$FL_ROOT"/*) printf '%s' "${1#"$FL_ROOT"/}" ;;
        *) printf '%s' "$1" ;;
    esac
}

# fl_logged COMMAND...: runs it with its output in the log. The place where this run's output begins is kept,
# so that an error message quotes this command and not an earlier one.
FL_LOG_START=0
fl_logged() {
    local status
    FL_LOG_START=$(wc -l <"$FL_LOG" 2>/dev/null) || FL_LOG_START=0
    printf '$%s\n' "$(printf ' %q' "$@")" >>"$FL_LOG"
    "$@" >>"$FL_LOG" 2>&1 </dev/null
    status=$?
    [ $status = 0 ] || echo "(exit code $status)" >>"$FL_LOG"
    return $status
}

# The output of the last fl_logged command.
fl_last_output() { tail -n "+$((FL_LOG_START + 2))" "$FL_LOG"; }

# fl_quote_log PATTERN COUNT: shows up to COUNT lines of the last command from the first that matches, else its last.
fl_quote_log() {
    local lines
    lines=$(fl_last_output | grep -E -A "$2" -m 1 -- "$1" | head -n "$2")
    [ -n "$lines" ] || lines=$(fl_last_output | tail -n "$2")
    printf '%s\n' "$lines" | cut -c 1-300 | sed 's/^/    /' >&2
}

# One set-up at a time for one build root. The lock is released by exit, so a killed set-up leaves none behind.
fl_lock() {
    if ! mkdir -p "$FL_BUILD" 2>/dev/null || [ ! -w "$FL_BUILD" ]; then
        fl_die "cannot write to $(fl_shown "$FL_BUILD")/: make it writable for $(id -un), or set FAULTLINE_BUILD to another folder"
    fi
    { exec 9>"$FL_BUILD/.lock"; } 2>/dev/null ||
        fl_die "cannot write to $(fl_shown "$FL_BUILD")/.lock: made by another user? remove it, or set FAULTLINE_BUILD to another folder"
    command -v flock >/dev/null || return 0 # not Linux: two at once are on their own
    if ! flock -n 9; then
        fl_say "waiting for another faultline that is setting up in $(fl_shown "$FL_BUILD")/"
        flock 9
    fi
}

fl_unlock() { exec 9>&-; }

fl_log_begin() {
    { : >"$FL_LOG"; } 2>/dev/null ||
        fl_die "cannot write to $(fl_shown "$FL_LOG"): make it writable for $(id -un), or set FAULTLINE_BUILD to another folder"
}
