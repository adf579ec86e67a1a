/* SPDX-License-Identifier: MIT */
/*
 * The child's system-call filter. It knows not only which calls are the child's own, but from where they come, so that a
 * string that is a SYSCALL, whatever it puts into RAX before, is not taken for the handler. Calls of the 32-bit entry
 * (INT 80) have another architecture.
 */
#define _GNU_SOURCE
#include "native.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field)             BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define LOAD_UPPER(field)       BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field) + 4)
#define IF_EQUAL(k, then, not ) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(k), then, not )

int native_confine(void)
{
    uint64_t call = (uint64_t)(uintptr_t)native_syscall_ip, restorer = (uint64_t)(uintptr_t)native_restorer_ip;
    struct sock_filter filter[] = {
        /*  0 */ LOAD(arch),
        /*  1 */ IF_EQUAL(AUDIT_ARCH_X86_64, 0, 13),
        /*  2 */ LOAD(nr),
        /*  3 */ IF_EQUAL(SYS_rt_sigreturn, 2, 0), /* first: once a case */
        /*  4 */ IF_EQUAL(SYS_futex, 5, 0),
        /*  5 */ IF_EQUAL(SYS_exit_group, 4, 9),
        /*  6 */ LOAD(instruction_pointer),
        /*  7 */ IF_EQUAL(restorer, 0, 7),
        /*  8 */ LOAD_UPPER(instruction_pointer),
        /*  9 */ IF_EQUAL(restorer >> 32, 4, 5),
        /* 10 */ LOAD(instruction_pointer),
        /* 11 */ IF_EQUAL(call, 0, 3),
        /* 12 */ LOAD_UPPER(instruction_pointer),
        /* 13 */ IF_EQUAL(call >> 32, 0, 1),
        /* 14 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        /* 15 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return errno;
    /* Before Linux 5.16 a filter switched a mitigation on that slows the processor down; the flag is of 4.17. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
        return 0;
    return errno;
}
