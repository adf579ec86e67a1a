# shellcheck shell=bash
# Unicorn >= 2.1. Older ones walk the guest's page tables and then throw the translation away, so they are useless here.
#
# In this order: what pkg-config finds (the user's own, or the system's when it is new enough); the private prefix
# of an earlier set-up; the system's package; Debian 13's package, unpacked into build/deps/unicorn. The last works
# on Debian 12 because the library asks for nothing newer than Debian 12's C library.

FL_UNICORN_MIN=2.1
FL_UNICORN_DIR=$FL_BUILD/deps/unicorn
FL_UNICORN_PC=$FL_UNICORN_DIR/pkgconfig
FL_TRIXIE_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

fl_version_of() { PKG_CONFIG_PATH=$1 fl_pkg_config --modversion unicorn; }
fl_unicorn_system() { fl_pkg_config --atleast-version=$FL_UNICORN_MIN unicorn; }
fl_unicorn_private() { [ -f "$FL_UNICORN_DIR/ready" ]; }

# fl_plan_unicorn: sets FL_UNICORN_PACKAGE to the package to install; empty when there is a Unicorn already or when
# the system's is too old (then fl_bring_unicorn fetches one).
fl_plan_unicorn() {
    local offered
    FL_UNICORN_PACKAGE=
    if fl_unicorn_system || fl_unicorn_private || ! fl_have_apt; then return; fi
    offered=$(LC_ALL=C apt-cache policy libunicorn-dev 2>/dev/null | sed -n 's/^  Candidate: //p')
    case $offered in
        '' | '(none)')
            # No lists yet: the release tells. Debian 12 has 2.0, Debian 13 and what has no number have 2.1.
            # shellcheck source=/dev/null
            offered=$(. /etc/os-release 2>/dev/null && [ "${ID:-}" = debian ] && echo "${VERSION_ID:-99}")
            [ "${offered%%.*}" -ge 13 ] 2>/dev/null || return ;;
        *) dpkg --compare-versions "$offered" ge $FL_UNICORN_MIN || return ;;
    esac
    # Installed already, when only pkg-config is missing: nothing to add to the package table.
    # shellcheck disable=SC2034
    case $(dpkg-query -W -f '${db:Status-Abbrev}' libunicorn-dev 2>/dev/null) in
        ?i*) ;;
        *) FL_UNICORN_PACKAGE=libunicorn-dev ;;
    esac
}

# pkg-config splits on blanks, so they are escaped.
fl_pc_escape() { printf '%s' "${1// /\\ }"; }

# The .pc file carries the prefix and the run path as absolute addresses; a moved project gets a new one.
fl_write_unicorn_pc() {
    local base=$1 prefix=$2 lib version
    lib=$(cd "$base/usr/lib" && find . -name 'libunicorn.so' -print -quit) || return 1
    lib=${lib%/*}
    lib=${lib#.}
    version=$(sed -n 's/^[Vv]ersion: *//p' "$base/usr/lib$lib/pkgconfig/unicorn.pc" | head -n 1)
    [ -n "$version" ] && [ -f "$base/usr/include/unicorn/unicorn.h" ] || return 1
    mkdir -p "$base/pkgconfig" || return 1
    cat >"$base/pkgconfig/unicorn.pc.new" <<PC
prefix=$(fl_pc_escape "$prefix")/usr
libdir=\${prefix}/lib$lib
includedir=\${prefix}/include

Name: unicorn
Description: Unicorn CPU emulator, private copy of Faultline
Version: $version
Libs: -L\${libdir} -Wl,-rpath,\${libdir} -lunicorn
Cflags: -I\${includedir}
PC
    mv -f "$base/pkgconfig/unicorn.pc.new" "$base/pkgconfig/unicorn.pc"
}

# fl_fetch_unicorn: Debian 13's packages through apt, with lists, cache and sources of our own, so that nothing of
# the system's set-up changes. apt checks the signature. Built in a .tmp folder and renamed when it is whole.
fl_fetch_unicorn() {
    local tmp=$FL_UNICORN_DIR.tmp mirror deb
    local -a apt
    mirror=$(fl_debian_mirror)
    [ -n "$mirror" ] ||
        fl_die "cannot fetch Unicorn: no Debian mirror among this machine's apt sources; install Unicorn >= $FL_UNICORN_MIN and set PKG_CONFIG_PATH"
    [ -r $FL_TRIXIE_KEYS ] ||
        fl_die "cannot fetch Unicorn: $FL_TRIXIE_KEYS is missing; install debian-archive-keyring, then run again"
    rm -rf "$tmp"
    mkdir -p "$tmp"/lists/partial "$tmp"/cache/archives/partial "$tmp"/root ||
        fl_die "cannot write to $(fl_shown "$tmp"): check its owner and the free space, then run again"
    printf 'deb [signed-by=%s] %s trixie main\n' $FL_TRIXIE_KEYS "$mirror" >"$tmp/sources.list"
    # The system's hooks would clean its cache or wake its package daemon; this apt is none of their business.
    printf '#clear %s;\n' APT::Update::Pre-Invoke APT::Update::Post-Invoke APT::Update::Post-Invoke-Success \
        DPkg::Pre-Invoke DPkg::Post-Invoke >"$tmp/apt.conf"
    # apt-get download writes where it stands, hence -C.
    apt=(env -C "$tmp/root" LC_ALL=C apt-get -q -c "$tmp/apt.conf"
        -o "Dir::Etc::sourcelist=$tmp/sources.list" -o Dir::Etc::sourceparts=-
        -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=-
        -o "Dir::State::lists=$tmp/lists" -o "Dir::Cache=$tmp/cache"
        -o APT::Default-Release= -o Acquire::Languages=none -o Acquire::Retries=2
        -o "APT::Sandbox::User=$(id -un)")
    fl_say "fetching Debian 13's Unicorn into $(fl_shown "$FL_UNICORN_DIR")/"
    # Without --error-on=any apt takes a failed download for a warning.
    fl_logged "${apt[@]}" --error-on=any update || fl_apt_failed "fetch Unicorn's package list"
    fl_logged "${apt[@]}" download libunicorn2t64 libunicorn-dev || fl_apt_failed "fetch Unicorn"
    for deb in "$tmp"/root/*.deb; do
        fl_logged dpkg -x "$deb" "$tmp/root" ||
            fl_die "cannot unpack $(fl_shown "$deb"): check the free space, then run again (log: $(fl_shown "$FL_LOG"))"
    done
    rm -f "$tmp"/root/*.deb
    fl_write_unicorn_pc "$tmp/root" "$FL_UNICORN_DIR" ||
        fl_die "cannot use Debian's Unicorn package: library or header missing in $(fl_shown "$tmp/root")"
    : >"$tmp/root/ready"
    rm -rf "$FL_UNICORN_DIR"
    mv "$tmp/root" "$FL_UNICORN_DIR" && rm -rf "$tmp"
}

# fl_bring_unicorn: after this PKG_CONFIG_PATH leads to a Unicorn that is new enough.
fl_bring_unicorn() {
    if fl_unicorn_system; then return 0; fi
    if ! fl_unicorn_private; then
        fl_have_apt ||
            fl_die "missing: Unicorn >= $FL_UNICORN_MIN (pkg-config module unicorn); install its development package or build it and set PKG_CONFIG_PATH, then run again"
        fl_fetch_unicorn
    fi
    fl_write_unicorn_pc "$FL_UNICORN_DIR" "$FL_UNICORN_DIR" ||
        fl_die "the private Unicorn in $(fl_shown "$FL_UNICORN_DIR")/ is damaged: remove that folder, then run again"
    export PKG_CONFIG_PATH="${PKG_CONFIG_PATH:+$PKG_CONFIG_PATH:}$FL_UNICORN_PC"
    fl_unicorn_system ||
        fl_die "Unicorn >= $FL_UNICORN_MIN is not found through $(fl_shown "$FL_UNICORN_PC")/: remove $(fl_shown "$FL_UNICORN_DIR")/, then run again"
}
