# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What pkg-config reads of a static library. Zydis 4.0 brings no such file, Capstone not in each version, and what Unicorn
# and xxHash install is left as it is.

# write_pc DEPS NAME VERSION LIBRARY...: DEPS/lib/pkgconfig/NAME.pc for libLIBRARY.a of DEPS/lib. A library behind the first
# that is not there is left out: some versions have it inside the first.
write_pc() {
    local deps=$1 name=$2 version=$3 library libs
    shift 3
    libs=-l$1
    for library in "${@:2}"; do
        [ ! -e "$deps/lib/lib$library.a" ] || libs+=" -l$library"
    done
    cat >"$deps/lib/pkgconfig/$name.pc" <<PC
Name: $name
Description: $name
Version: $version
Libs: -L$deps/lib $libs
Libs.private: -lpthread -lm
Cflags: -I$deps/include
PC
}
