/* SPDX-License-Identifier: MIT */
/* The floor: what an engine costs when the target does nothing. Only for benchmarks. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}
