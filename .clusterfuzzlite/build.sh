#!/bin/bash -eu
# SPDX-License-Identifier: MIT
exec bash -eu "$SRC/faultline/tools/oss-fuzz/build.sh"
