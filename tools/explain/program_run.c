/* SPDX-License-Identifier: MIT */
/* The parts of a C program, compiled into the command: so a program is tried before it is handed out. */
#include "program_world.c"

#include "program_kernel.c"

#include "program_facts.c"
