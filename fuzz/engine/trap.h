/* SPDX-License-Identifier: MIT */
/*
 * The end of a process that found a divergence: a trap whose call stack is the class (check and row of the key), for
 * engines and services that tell bugs apart by stacks or by coverage.
 */
#ifndef FAULTLINE_FUZZ_TRAP_H
#define FAULTLINE_FUZZ_TRAP_H

/* Executes a trap instruction (SIGILL) in a function of the class's own. Frames from the top: die_<check>__<row>, with
 * '_' for each '-', then two more that only this class has. A row that classes.def does not list: die_<check>, and a
 * check that it does not list: fl_trap itself. check as fl_check_name() has it; neither may be NULL. */
_Noreturn void fl_trap(const char *check, const char *row);

#endif
