# shellcheck shell=bash
# Installing Debian packages, and the mirror that this machine uses.

# apt in plain English (its messages are read below), asking nothing, waiting for another apt to finish.
FL_APT=(env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2)

# fl_may_ask: a person is there to answer.
fl_may_ask() { [ "$FL_YES" = 0 ] && [ -t 0 ] && [ -t 2 ]; }

# fl_confirm PACKAGE...: shows the list and asks.
fl_confirm() {
    local answer=
    if ! fl_may_ask; then
        fl_say "installing $# package(s): $*"
        return 0
    fi
    fl_say "needs $# package(s): $*"
    printf 'faultline: install them with apt-get%s? [Y/n] ' "$([ "$EUID" = 0 ] || echo ' (through sudo)')" >&2
    IFS= read -r answer || answer=n
    case $answer in '' | [yY] | [yY][eE][sS]) return 0 ;; *) return 1 ;; esac
}

# Sets FL_ROOT_PREFIX to what must stand before a command that needs root, or stops.
fl_find_root_prefix() {
    FL_ROOT_PREFIX=()
    [ "$EUID" = 0 ] && return
    command -v sudo >/dev/null ||
        fl_die "cannot install packages: not root, and there is no sudo; as root run: apt-get install $*"
    FL_ROOT_PREFIX=(sudo)
    sudo -n true 2>/dev/null && return
    # The password is asked for here, on the terminal, and not in the middle of logged output.
    { [ -t 0 ] && sudo -v; } ||
        fl_die "cannot install packages: sudo refused or needs a password; as root run: apt-get install $*"
}

# Packages of the arguments that this system's sources offer, in FL_OFFERED; the others in FL_NOT_OFFERED.
fl_sort_by_offer() {
    local line package=
    local known=' '
    FL_OFFERED=()
    FL_NOT_OFFERED=()
    while IFS= read -r line; do
        case $line in
            [!\ ]*:) package=${line%:} ;;
            '  Candidate: (none)') ;;
            '  Candidate: '*) known+="$package " ;;
        esac
    done < <(LC_ALL=C apt-cache policy "$@" 2>/dev/null)
    for package; do
        if [[ $known == *" $package "* ]]; then FL_OFFERED+=("$package"); else FL_NOT_OFFERED+=("$package"); fi
    done
}

# fl_apt_failed WHAT: one line that says why apt failed, in the order of how sure the sign is.
fl_apt_failed() {
    local out first
    out=$(fl_last_output)
    first=$(printf '%s\n' "$out" | grep -m 1 -E '^(E|Err)[: ]')
    fl_quote_log '^(E|Err)[: ]' 4
    case $out in
        *"Could not get lock"* | *"Unable to acquire the dpkg"*)
            fl_die "cannot $1: another package manager is running; wait for it, then run again" ;;
        *"No space left"* | *"not have enough free space"*)
            fl_die "cannot $1: the disk is full; free some space, then run again" ;;
        *"Could not resolve"* | *"Temporary failure"* | *"Could not connect"* | *"Network is unreachable"* | \
            *"Failed to fetch"* | *"Unable to connect"* | *"Connection "*)
            fl_die "cannot $1: download failed, no network or the mirror is down; check both, then run again" ;;
        *"Unable to locate package"* | *"has no installation candidate"*)
            fl_die "cannot $1: ${first#E: }; check this system's apt sources, then run again" ;;
    esac
    fl_die "cannot $1: apt-get says '${first#E: }'; more in $(fl_shown "$FL_LOG"), mend it and run again"
}

# fl_apt_install PACKAGE...: all of them or one clear line.
fl_apt_install() {
    fl_logged "${FL_ROOT_PREFIX[@]}" "${FL_APT[@]}" --no-install-recommends install "$@" && return 0
    # An apt that was killed in the middle leaves dpkg asking for this one command.
    if fl_last_output | grep -q 'dpkg --configure -a'; then
        fl_say "finishing an interrupted package installation (dpkg --configure -a)"
        fl_logged "${FL_ROOT_PREFIX[@]}" env LC_ALL=C DEBIAN_FRONTEND=noninteractive dpkg --configure -a --force-confold
        fl_logged "${FL_ROOT_PREFIX[@]}" "${FL_APT[@]}" --no-install-recommends install "$@" && return 0
    fi
    return 1
}

# Once per run at most.
FL_APT_UPDATED=0
fl_apt_update() {
    [ $FL_APT_UPDATED = 0 ] || return 0
    FL_APT_UPDATED=1
    # A failure is not the end: the lists may be good enough, and one broken third-party source fails all of it.
    fl_logged "${FL_ROOT_PREFIX[@]}" "${FL_APT[@]}" update || fl_say "apt-get update failed; going on with the lists at hand"
}

# Everything that FL_NEEDS asks for. Optional packages that the system does not offer are passed over with a line.
fl_install_missing() {
    local -a wanted=() optional
    fl_find_missing
    [ ${#FL_MISSING_REQUIRED[@]} -gt 0 ] || [ ${#FL_MISSING_OPTIONAL[@]} -gt 0 ] || [ -n "$FL_UNICORN_PACKAGE" ] || return 0
    if ! fl_have_apt; then
        [ ${#FL_MISSING_REQUIRED[@]} -eq 0 ] || fl_name_missing
        return 0
    fi
    optional=("${FL_MISSING_OPTIONAL[@]}")
    # What was passed over or declined before is not asked about again by every call.
    if [ ${#FL_MISSING_REQUIRED[@]} -eq 0 ] && [ -z "$FL_UNICORN_PACKAGE" ] &&
        [ "$(cat "$FL_BUILD/.without" 2>/dev/null)" = "${optional[*]}" ]; then
        return 0
    fi
    wanted=("${FL_MISSING_REQUIRED[@]}" ${FL_UNICORN_PACKAGE:+"$FL_UNICORN_PACKAGE"} "${optional[@]}")
    if ! fl_confirm "${wanted[@]}"; then
        if [ ${#FL_MISSING_REQUIRED[@]} -eq 0 ] && [ -z "$FL_UNICORN_PACKAGE" ]; then
            echo "${optional[*]}" >"$FL_BUILD/.without"
            fl_say "going on without ${optional[*]}"
            return 0
        fi
        fl_die "not installed: ${FL_MISSING_REQUIRED[*]} $FL_UNICORN_PACKAGE; install them yourself or answer yes, then run again"
    fi
    fl_find_root_prefix "${wanted[@]}"
    fl_apt_update
    fl_sort_by_offer "${optional[@]}"
    if [ ${#FL_NOT_OFFERED[@]} -gt 0 ]; then
        fl_say "this system does not offer ${FL_NOT_OFFERED[*]}: going on without"
    fi
    wanted=("${FL_MISSING_REQUIRED[@]}" ${FL_UNICORN_PACKAGE:+"$FL_UNICORN_PACKAGE"} "${FL_OFFERED[@]}")
    if [ ${#wanted[@]} -gt 0 ]; then
        fl_apt_install "${wanted[@]}" || fl_apt_failed "install packages"
    fi
    echo "${FL_NOT_OFFERED[*]}" >"$FL_BUILD/.without"
}

# fl_debian_mirror: prints the address of the Debian archive this machine uses. It comes from apt's own
# configuration and is passed on in memory and in files under build/ only.
fl_debian_mirror() {
    local line uri origin label codename mine='' best=''
    if [ -r /etc/os-release ]; then
        # shellcheck source=/dev/null
        mine=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    fi
    # shellcheck disable=SC2016
    while IFS='|' read -r uri origin label codename; do
        # With a Release file at hand apt knows whose archive it is; the label tells security and others apart.
        [ "$origin/$label" = Debian/Debian ] || continue
        if [ "$codename" = "$mine" ]; then best=$uri; break; fi
        [ -n "$best" ] || best=$uri
    done < <(apt-get indextargets --format '$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(CODENAME)' 'Identifier: Packages' 2>/dev/null)
    if [ -z "$best" ]; then
        # apt-get update never ran here, so the name of the release and the shape of the address have to do.
        # shellcheck disable=SC2016
        while IFS='|' read -r uri line; do
            case $line in "$mine" | stable | oldstable | testing | unstable | sid) ;; *) continue ;; esac
            case $uri in *security*) ;; *debian*) best=$uri; break ;; esac
        done < <(apt-get indextargets --no-release-info --format '$(REPO_URI)|$(RELEASE)' 'Identifier: Packages' 2>/dev/null)
    fi
    [ -n "$best" ] && printf '%s\n' "${best%/}"
}
