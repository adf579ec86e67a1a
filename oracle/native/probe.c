/* SPDX-License-Identifier: MIT */
/* The native probe's public face. */
#define _GNU_SOURCE
#include "native.h"

#include <errno.h>
#include <faultline/oracle/decoder_plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Without looking at what the cases are. */
static enum fl_status run_plain(struct fl_probe *p, const struct fl_probe_case *cases, size_t count, uint8_t *ends)
{
    struct native *n = (struct native *)p;

    for (size_t done = 0; done < count;) {
        uint32_t now = (uint32_t)(count - done < BATCH ? count - done : BATCH);
        for (uint32_t i = 0; i < now; i++)
            native_job(&n->share->jobs[i], &cases[done + i], false);
        enum fl_status status = native_batch(n, now);
        if (status != FL_OK)
            return status;
        memcpy(ends + done, n->share->ends, now);
        done += now;
    }
    return FL_OK;
}

static enum fl_status controls(struct native *n)
{
    unsigned bits = 0;
    uint8_t end = 0;
    const struct probe_control *bad =
        probe_controls(&n->base, run_plain, n->base.modes, &n->base.controls, &bits, &end);

    n->since = 0;
    if (bad != NULL && n->failed)
        return FL_FAILED;
    if (bad != NULL)
        return native_fail(n, "control %s in %u-bit code ended as %s, not %s", bad->name, bits,
                           fl_probe_end_name((enum fl_probe_end)end), fl_probe_end_name(bad->end));
    return n->timing ? native_timing_controls(n) : FL_OK;
}

static enum fl_status native_run(struct fl_probe *p, const struct fl_probe_case *cases, size_t count, uint8_t *ends)
{
    struct native *n = (struct native *)p;

    if (p == NULL || (count != 0 && (cases == NULL || ends == NULL)))
        return FL_INVALID;
    for (size_t i = 0; i < count; i++)
        if (!probe_case_valid(&cases[i], p->modes))
            return FL_INVALID;
    if (n->failed)
        return FL_FAILED;
    while (count > 0) {
        uint64_t left = FL_PROBE_CONTROL_EVERY - n->since;
        size_t now = count < left ? count : (size_t)left;
        enum fl_status status = run_plain(p, cases, now, ends);
        if (status != FL_OK)
            return status;
        cases += now;
        ends += now;
        count -= now;
        n->since += now;
        if (n->since >= FL_PROBE_CONTROL_EVERY && (status = controls(n)) != FL_OK)
            return status;
    }
    return FL_OK;
}

static const char *native_why(const struct fl_probe *p)
{
    return ((const struct native *)p)->why;
}

static void discard(struct native *n)
{
    native_end_child(n);
    munmap(n->share, sizeof *n->share);
    free(n);
}

static enum fl_status native_close(struct fl_probe *p)
{
    struct native *n = (struct native *)p;

    if (p == NULL)
        return FL_INVALID;
    enum fl_status status = n->failed ? FL_FAILED : controls(n);
    discard(n);
    return status;
}

static enum fl_status start_child(struct native *n)
{
    pid_t self = getpid();

    atomic_store_explicit(&n->share->asked, 1, memory_order_relaxed); /* the answer to this is that it is there */
    n->child = fork();
    if (n->child == 0)
        native_child_main(n->share, self);
    if (n->child < 0) {
        n->child = 0;
        return native_fail(n, "cannot fork: %s", strerror(errno));
    }
    enum fl_status status = native_wait(n);
    if (status != FL_OK)
        return status;
    n->base.modes = FL_DECODES_64 | (n->share->ldt != 0 ? FL_DECODES_32 | FL_DECODES_16 : 0);
    if ((status = native_calibrate(n)) == FL_FAILED)
        return status;
    n->timing = status == FL_OK;
    return controls(n);
}

enum fl_status fl_native_open(struct fl_probe **out, char why[256])
{
    if (out == NULL || why == NULL)
        return FL_INVALID;
    struct native *n = calloc(1, sizeof *n);
    void *share =
        mmap(NULL, sizeof *n->share, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (n == NULL || share == MAP_FAILED) {
        snprintf(why, 256, "no memory for the native probe");
        if (share != MAP_FAILED)
            munmap(share, sizeof *n->share);
        free(n);
        return FL_FAILED;
    }
    n->share = share;
    native_identity(n);
    n->base = (struct fl_probe){.name = "native",
                                .version = n->version,
                                .host = n->host,
                                .run = native_run,
                                .loads = native_loads,
                                .why = native_why,
                                .close = native_close};
    enum fl_status status = start_child(n);
    if (status != FL_OK) {
        snprintf(why, 256, "%s", n->why);
        discard(n);
        return status;
    }
    *out = &n->base;
    return FL_OK;
}
