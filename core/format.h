/* SPDX-License-Identifier: MIT */
/*
 * format: what the tables of each paging mode look like, one data row per level. The walk is a loop over these rows; it
 * knows no mode by name but for the PDPTE registers of PAE.
 *
 * Sources: Intel SDM vol. 3, 4.3 (32-bit), 4.4 (PAE), 4.5 (4- and 5-level), tables 4-3 to 4-21; AMD APM vol. 2, 5.2
 * (legacy) and 5.3 (long mode).
 */
#ifndef FAULTLINE_CORE_FORMAT_H
#define FAULTLINE_CORE_FORMAT_H

#include <faultline/types.h>

/* When a present entry maps a page instead of naming the next table. */
enum format_leaf {
    FORMAT_LEAF_NEVER,
    FORMAT_LEAF_ALWAYS,
    FORMAT_LEAF_PS,     /* PS (bit 7) is set */
    FORMAT_LEAF_PS_PSE, /* PS is set and CR4.PSE is on; with CR4.PSE off the bit is ignored */
    FORMAT_LEAF_PS_1GB  /* PS is set and the processor has 1 GiB pages; without them the bit is reserved */
};

struct format_level {
    uint8_t level; /* 1 = PTE .. 5 = PML5E */
    uint8_t shift; /* lowest bit of the linear address that indexes this table; a leaf here maps 1 << shift bytes */
    uint8_t index_bits;      /* width of the index */
    uint8_t leaf;            /* enum format_leaf */
    bool rights;             /* R/W and U/S (and XD) of this entry count; PDPTEs of PAE have none */
    uint8_t high;            /* bits MAXPHYADDR..high are reserved; 0: none (4-byte entries) */
    uint64_t reserved_table; /* reserved, whatever the processor, in an entry that names a table */
    uint64_t reserved_leaf;  /* ... in an entry that maps a page */
    uint64_t reserved_amd;   /* reserved as well on AMD */
};

#define FORMAT_MAX_LEVELS 5

struct format {
    uint8_t levels;
    uint8_t entry_size;  /* bytes */
    uint8_t linear_bits; /* how much of the linear address the tables translate */
    bool sign_extended;  /* the bits above repeat the top translated bit (canonical), else they are zero */
    bool has_nx;         /* bit 63 is XD when EFER.NXE is on, and reserved when it is off */
    bool has_pkey;       /* bits 62:59 of a leaf are the protection key */
    uint64_t root;       /* bits of CR3 that are the address of the first table */
    struct format_level level[FORMAT_MAX_LEVELS]; /* [0] is where the walk begins */
};

/* The format of that mode. mode < FL_MODE_COUNT. */
const struct format *core_format_of(enum fl_mode mode);

/* Can the tables translate va at all: canonical in IA-32e modes, below 4 GiB in 32-bit modes? */
bool core_format_walkable(const struct format *f, uint64_t va);

/* Address of the first table. Bits of CR3 above MAXPHYADDR cannot be set by MOV CR3 and are left out. */
uint64_t core_format_root(const struct format *f, const struct fl_cpu *cpu);

/* Does this present entry map a page? */
bool core_format_is_leaf(const struct format_level *l, const struct fl_cpu *cpu, uint64_t entry);

/* The bits that must be zero in a present entry of that level on that processor. */
uint64_t core_format_reserved(const struct format *f, const struct format_level *l, const struct fl_cpu *cpu,
                              bool leaf);

/* Physical address of the table that a (valid) entry names. */
uint64_t core_format_table(const struct format *f, uint64_t entry);

/* Physical address of the page that a (valid) leaf maps. */
uint64_t core_format_page(const struct format *f, const struct format_level *l, uint64_t entry);

#endif
