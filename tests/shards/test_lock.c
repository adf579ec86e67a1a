/* SPDX-License-Identifier: MIT */
/* Who has a folder, on file systems with and without locks, and after the loss of a machine: flock and squeue are played. */
#include "campaign/campaign.h"
#include "shards_test.h"

#include <sys/file.h>

static int flock_fails, flock_calls, flock_until; /* errno, 0: the real thing; from so many calls on it works */

int flock(int fd, int operation)
{
    (void)fd, (void)operation;
    flock_calls++;
    if (flock_fails && flock_calls <= flock_until) {
        errno = flock_fails;
        return -1;
    }
    return 0;
}

static void play(int error, int until)
{
    flock_fails = error;
    flock_calls = 0;
    flock_until = until;
}

static void squeue(const char *answer, int code)
{
    char script[200];
    int n = snprintf(script, sizeof script, "#!/bin/sh\n%s\nexit %d\n", answer, code);

    spill(at("bin/squeue"), script, (size_t)n);
    chmod(at("bin/squeue"), 0755);
}

static void held_by(const char *text)
{
    spill(at("lock"), text, strlen(text));
}

static bool take(bool *busy)
{
    int fd = campaign_lock(root, busy);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int main(void)
{
    char text[300], boot[40], *path;
    pid_t guard, supervisor;
    bool busy;
    int fd;

    make_root();
    mkdir(at("bin"), 0777);
    path = format_text("%s:%s", at("bin"), getenv("PATH"));
    setenv("PATH", path, 1);
    unsetenv("SLURM_ARRAY_JOB_ID");
    unsetenv("SLURM_JOB_ID");
    play(0, 0);
    fd = campaign_lock(root, &busy);
    CHECK(fd >= 0 && !busy, "a new folder");
    campaign_lock_note(fd, getpid(), getppid());
    campaign_lock_pids(root, &guard, &supervisor);
    CHECK_EQ(guard, getpid(), "who has it");
    CHECK_EQ(supervisor, getppid(), "and for whom");
    campaign_lock_note(fd, getpid(), 4000000);
    campaign_lock_pids(root, &guard, &supervisor);
    CHECK_EQ(supervisor, 0, "a process that is not there");
    campaign_lock_note(fd, getpid(), getppid());
    play(EWOULDBLOCK, 9);
    CHECK(!take(&busy) && busy, "somebody has it");
    CHECK_EQ(flock_calls, 1, "on this machine nobody waits");
    /* No locks: what is written there decides. */
    play(ENOLCK, 9);
    CHECK(!take(&busy) && busy, "its process is there");
    process_boot(boot);
    snprintf(text, sizeof text, "%d 0\n%s %s 1 -\n", (int)getpid(), "here", boot);
    gethostname(text + 200, 60);
    snprintf(text, 200, "%d 0\n%s %s 1 -\n", (int)getpid(), text + 200, boot);
    held_by(text);
    CHECK(take(&busy) && !busy, "its process number is somebody else's by now");
    held_by("4000000 0\nelsewhere boot 1 -\n");
    campaign_lock_pids(root, &guard, &supervisor);
    CHECK_EQ(guard, 0, "a process of another machine is not one of ours");
    SAYS("cannot be asked", "another machine, without Slurm", CHECK(!take(&busy) && !busy, "cannot tell"));
    held_by("4000000 0\nelsewhere boot 1 12_3\n");
    squeue("echo RUNNING", 0);
    CHECK(!take(&busy) && busy, "its job runs");
    squeue("echo PENDING", 0);
    CHECK(take(&busy) && !busy, "its job waits to run again: nobody is there");
    held_by("4000000 0\nelsewhere boot 1 12_3\n");
    squeue("echo 'slurm_load_jobs error: Invalid job id specified' >&2", 1);
    CHECK(take(&busy) && !busy, "its job is forgotten");
    held_by("4000000 0\nelsewhere boot 1 12_3\n");
    squeue("echo 'squeue: error: unable to contact slurm controller' >&2", 1);
    SAYS("remove it", "a controller that does not answer", CHECK(!take(&busy) && !busy, "cannot tell"));
    held_by("4000000 0\nelsewhere boot 1 12_3\n");
    setenv("SLURM_ARRAY_JOB_ID", "12", 1);
    setenv("SLURM_ARRAY_TASK_ID", "3", 1);
    CHECK(take(&busy) && !busy, "this very job, queued again");
    /* The server has not given up the lock of the lost machine yet. */
    held_by("4000000 0\nelsewhere boot 1 12_3\n");
    play(EWOULDBLOCK, 1);
    SAYS("which is lost", "a lease that has not run out", CHECK(take(&busy) && !busy, "waits, and has it"));
    CHECK_EQ(flock_calls, 2, "asked again");
    held_by("garbage");
    play(ENOSYS, 9);
    CHECK(take(&busy) && !busy, "a lock of nobody");
    play(EIO, 9);
    SAYS("Input/output", "a broken disk", CHECK(!take(&busy) && !busy, "not taken"));
    free(path);
    remove_all(root);
    return check_done("lock");
}
