/* SPDX-License-Identifier: MIT */
/* The structured mutator as an AFL++ custom mutator library (AFL_CUSTOM_MUTATOR_LIBRARY), one per target. */
#include "target.h"

#include <faultline/fuzz/mutate.h>

#include <stdlib.h>
#include <string.h>

struct mutator {
    uint64_t state;
    uint8_t buffer[FL_SCENARIO_MAX_BYTES];
};

void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(struct mutator *m, uint8_t *data, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t max_size);
void afl_custom_deinit(struct mutator *m);

void *afl_custom_init(void *afl, unsigned seed)
{
    struct mutator *m = calloc(1, sizeof *m);

    (void)afl;
    if (m)
        m->state = seed;
    return m;
}

size_t afl_custom_fuzz(struct mutator *m, uint8_t *data, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t max_size)
{
    uint32_t seed;

    m->state = m->state * 6364136223846793005u + 1442695040888963407u;
    seed = (uint32_t)(m->state >> 32);
    if (max_size > sizeof m->buffer)
        max_size = sizeof m->buffer;
    if (size > max_size)
        size = max_size;
    *out = m->buffer;
    if (other && other_size && seed % 16 == 0)
        return fl_crossover(data, size, other, other_size, m->buffer, max_size, seed);
    memcpy(m->buffer, data, size);
    return fl_mutate(m->buffer, size, max_size, seed, fl_this_target);
}

void afl_custom_deinit(struct mutator *m)
{
    free(m);
}
