/* SPDX-License-Identifier: MIT */
/* The target without an engine: replays the named files of fuzz bytes, one after the other, through the same entry point. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <faultline/fuzz/scenario.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    static uint8_t data[FL_SCENARIO_MAX_BYTES];

    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE...   replays files of fuzz bytes; a divergence ends it with a trap\n", argv[0]);
        return 2;
    }
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        FILE *in = fopen(argv[i], "rb");
        size_t size;

        if (!in) {
            fprintf(stderr, "faultline: %s: %s\n", argv[i], strerror(errno));
            return 2;
        }
        size = fread(data, 1, sizeof data, in);
        if (ferror(in)) {
            fprintf(stderr, "faultline: %s: %s\n", argv[i], strerror(errno));
            return 2;
        }
        fclose(in);
        LLVMFuzzerTestOneInput(data, size);
    }
    printf("%d files replayed, no divergence\n", argc - 1);
    return 0;
}
