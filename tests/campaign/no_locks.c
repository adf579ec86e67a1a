/* SPDX-License-Identifier: MIT */
/* For LD_PRELOAD: flock as on a file system that has none. */
#include <errno.h>
#include <sys/file.h>

int flock(int fd, int operation)
{
    (void)fd, (void)operation;
    errno = ENOLCK;
    return -1;
}
