/* SPDX-License-Identifier: MIT */
/* What the parser says: bad texts with the exact place and message, and good texts that people write. */
#include "text_helpers.h"

#define FIRST "faultline-scenario 3\n"

#define RECORDS                                                                                                        \
    "map entry vma unmap protect zap regs gpr bytes extable inject access fault exec decode ioremap iounmap fork "     \
    "switch ldt cs touch sync-all area act race answer pin"
#define GENERATIONS                                                                                                    \
    "expected a generation that the mode has (2level and pae: current, 2008-32, 2014-native, 2014-pv32, 2016; "        \
    "4level: current, 2008-64, 2014-native, 2014-pv64, 2016; 5level and arch sh4: current), found "
#define VMALLOC                                                                                                        \
    "expected a page-aligned kernel address (64-bit: not in the last top-level entry), and vmalloc-start below "       \
    "vmalloc-end, found "

#define AREA_FLAGS                                                                                                     \
    "expected may-read with r, may-write with w; growsdown and huge only with anon, not shared; io and pfnmap only "   \
    "with special, found "

struct bad {
    const char *text;
    unsigned line, column;
    const char *message;
};

static const struct bad bads[] = {
    /* the first line */
    {"", 1, 1, "expected 'faultline-scenario 3' as the first line, found an empty file"},
    {"\n", 1, 1, "expected 'faultline-scenario 3' as the first line, found end of line"},
    {"# hello\n" FIRST, 1, 1, "expected 'faultline-scenario 3' as the first line, found end of line"},
    {"map 0 frame 0 flags p\n", 1, 1, "expected 'faultline-scenario 3' as the first line, found 'map'"},
    {"\xef\xbb\xbf" FIRST, 1, 1,
     "expected 'faultline-scenario 3' as the first line, found '\\xef\\xbb\\xbffaultline-scenario'"},
    {"faultline-scenario\n", 1, 19, "expected version 1..3, found end of line"},
    {"faultline-scenario one\n", 1, 20, "expected version 1..3, found 'one'"},
    {"faultline-scenario 0\n", 1, 20, "expected version 1..3, found '0'"},
    {"faultline-scenario 4\nwhatever\n", 1, 20, "written by a newer Faultline: version 4, this one reads up to 3"},
    {"faultline-scenario 99999999999999999999\n", 1, 20,
     "written by a newer Faultline: version 99999999999999999999, this one reads up to 3"},
    {"faultline-scenario 3 please\n", 1, 22, "expected end of line, found 'please'"},
    /* lines */
    {FIRST "mode\0pae\n", 2, 5, "NUL byte: this is not a text scenario"},
    {FIRST "mode \x01\xff'\\\n", 2, 6, "expected mode 2level, pae, 4level or 5level, found '\\x01\\xff\\x27\\x5c'"},
    {FIRST "mode pae\rmap\n", 2, 6, "expected mode 2level, pae, 4level or 5level, found 'pae\\x0dmap'"},
    /* keywords */
    {FIRST "  mapp 0x1000\n", 2, 3, "unknown keyword 'mapp' (did you mean 'map'?)"},
    {FIRST "vmae 0x1000\n", 2, 1, "unknown keyword 'vmae' (did you mean 'vma'?)"},
    {FIRST "unamp 0x1000\n", 2, 1, "unknown keyword 'unamp' (did you mean 'unmap'?)"},
    {FIRST "wendor amd\n", 2, 1, "unknown keyword 'wendor' (did you mean 'vendor'?)"},
    {FIRST "jump 0x1000\n", 2, 1, "expected a machine key or a record (" RECORDS "), found 'jump'"},
    {FIRST "zap 0 pages 1\njump 0x1000\n", 3, 1, "expected a record (" RECORDS "), found 'jump'"},
    {FIRST "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee\n", 2, 1,
     "expected a machine key or a record (" RECORDS "), found 'aaaaaaaaaabbbbbbbbbbccccccccccddddddddd...'"},
    {FIRST "iormap 0x1000\n", 2, 1, "unknown keyword 'iormap' (did you mean 'ioremap'?)"},
    {FIRST "sync_all\n", 2, 1, "unknown keyword 'sync_all' (did you mean 'sync-all'?)"},
    {FIRST "generations 2016\n", 2, 1, "unknown keyword 'generations' (did you mean 'generation'?)"},
    /* the machine */
    {FIRST "mode\n", 2, 5, "expected mode 2level, pae, 4level or 5level, found end of line"},
    {FIRST "mode 3level\n", 2, 6, "expected mode 2level, pae, 4level or 5level, found '3level'"},
    {FIRST "mode pae # three\nvendor amd\nmode 2level\n", 4, 1, "'mode' given twice, first on line 2"},
    {FIRST "family 3\n", 2, 8, "expected family 4..255, found '3'"},
    {FIRST "maxphyaddr 53\n", 2, 12, "expected maxphyaddr 32..52, found '53'"},
    {FIRST "maxphyaddr -1\n", 2, 12, "expected maxphyaddr 32..52, found '-1'"},
    {FIRST "wp 1\n", 2, 4, "expected wp yes or no, found '1'"},
    {FIRST "pid 0\n", 2, 5, "expected pid 1..4294967295, found '0'"},
    {FIRST "pid 4294967296\n", 2, 5, "expected pid 1..4294967295, found '4294967296'"},
    {FIRST "pkru 0x100000000\n", 2, 6, "expected pkru a number 0..0xffffffff, found '0x100000000'"},
    {FIRST "ip 0x10000000000000000\n", 2, 4, "expected ip a number 0..0xffffffffffffffff, found '0x10000000000000000'"},
    {FIRST "ip 0x\n", 2, 4, "expected ip a number 0..0xffffffffffffffff, found '0x'"},
    {FIRST "ip 12g\n", 2, 4, "expected ip a number 0..0xffffffffffffffff, found '12g'"},
    {FIRST "vendor intel amd\n", 2, 14, "expected end of line, found 'amd'"},
    {FIRST "mode pae\nip 0x100000000\n", 3, 4,
     "expected a number below 4 GiB in modes 2level and pae, found '0x100000000'"},
    {FIRST "sp 0x7ffffffde000\nmode 2level\n\nzap 0 pages 1\n", 2, 4,
     "expected a number below 4 GiB in modes 2level and pae, found '0x7ffffffde000'"},
    {FIRST "split 2g/2g\n", 2, 7, "expected split 3g/1g in modes 4level and 5level, found '2g/2g'"},
    {FIRST "mode pae\ncode-bits 64\n", 3, 11, "expected 16 or 32 in modes 2level and pae, found '64'"},
    {FIRST "seg-base 0x10\n", 2, 10, "expected seg-base 0 for 64-bit code, found '0x10'"},
    {FIRST "flags 0\n", 2, 7,
     "expected flags with bit 1 set, and VM (0x20000) only for user code in modes 2level and pae, found '0'"},
    {FIRST "flags 0x20202\n", 2, 7,
     "expected flags with bit 1 set, and VM (0x20000) only for user code in modes 2level and pae, found '0x20202'"},
    {FIRST "mode pae\nprivilege kernel\nflags 0x20202\n", 4, 7,
     "expected flags with bit 1 set, and VM (0x20000) only for user code in modes 2level and pae, found '0x20202'"},
    {FIRST "mode 4level\narch sh4\n", 2, 6, "expected mode 2level with arch sh4, found '4level'"},
    {FIRST "arch sh4\nmode pae\n", 3, 6, "expected mode 2level with arch sh4, found 'pae'"},
    {FIRST "arch arm\n", 2, 6, "expected arch x86 or sh4, found 'arm'"},
    {FIRST "arch sh4\nvendor amd\n", 3, 8, "expected no vendor with arch sh4, found 'amd'"},
    {FIRST "arch sh4\nidt 0\n", 3, 5, "expected no idt with arch sh4, found '0'"},
    {FIRST "arch sh4\ncode-bits 16\n", 3, 11, "expected no code-bits with arch sh4, found '16'"},
    {FIRST "arch sh4\ngeneration 2016\n", 3, 12, GENERATIONS "'2016'"},
    {FIRST "sh4-fixed no\n", 2, 11, "expected sh4-fixed yes with arch x86, found 'no'"},
    {FIRST "generation 2015\n", 2, 12,
     "expected generation current, 2008-32, 2008-64, 2014-native, 2014-pv32, 2014-pv64 or 2016, found '2015'"},
    {FIRST "generation 2008-32\n", 2, 12, GENERATIONS "'2008-32'"},
    {FIRST "mode 4level\ngeneration 2014-pv32\n", 3, 12, GENERATIONS "'2014-pv32'"},
    {FIRST "mode 2level\ngeneration 2008-64\n", 3, 12, GENERATIONS "'2008-64'"},
    {FIRST "mode pae\ngeneration 2014-pv64\n", 3, 12, GENERATIONS "'2014-pv64'"},
    {FIRST "mode 5level\ngeneration 2016\n", 3, 12, GENERATIONS "'2016'"},
    {FIRST "mode pae\nvsyscall yes\n", 3, 10, "expected vsyscall no in modes 2level and pae, found 'yes'"},
    {FIRST "f00f-bug yes\n", 2, 10, "expected f00f-bug no in modes 4level and 5level, found 'yes'"},
    {FIRST "shared-pmd no\n", 2, 12, "expected shared-pmd yes in all modes but pae, found 'no'"},
    {FIRST "in-atomic no\nin-nmi yes\n", 2, 11, "expected in-atomic yes with in-nmi yes, found 'no'"},
    {FIRST "comm init2\n", 2, 6, "expected comm cat, init, odd or long, found 'init2'"},
    {FIRST "low-frames 65536\n", 2, 12, "expected low-frames 0..65535, found '65536'"},
    {FIRST "uid 4294967296\n", 2, 5, "expected uid 0..4294967295, found '4294967296'"},
    {FIRST "idt 0x1000\n", 2, 5, "expected idt 0 in modes 4level and 5level, found '0x1000'"},
    {FIRST "mode pae\nidt 0x100000000\n", 3, 5, "expected idt a number 0..0xffffffff, found '0x100000000'"},
    {FIRST "vmalloc-start 0xffffc90000000800\n", 2, 15, VMALLOC "'0xffffc90000000800'"},
    {FIRST "vmalloc-start 0x1000\n", 2, 15, VMALLOC "'0x1000'"},
    {FIRST "vmalloc-end 0xffffff8000000000\n", 2, 13, VMALLOC "'0xffffff8000000000'"},
    {FIRST "mode pae\nvmalloc-end 0xf8000000\n", 3, 13, VMALLOC "'0xf8000000'"},
    {FIRST "mode pae\nsplit 2g/2g\nvmalloc-end 0xf2000000\nvmalloc-start 0xf2000000\n", 5, 15, VMALLOC "'0xf2000000'"},
    {FIRST "zap 0 pages 1\nmode pae\n", 3, 1, "machine key 'mode' after the first record: machine keys come first"},
    /* records: items */
    {FIRST "map\n", 2, 4, "expected a number 0..0xffffffffffffffff, found end of line"},
    {FIRST "map x\n", 2, 5, "expected a number 0..0xffffffffffffffff, found 'x'"},
    {FIRST "map 0\n", 2, 6, "expected frame, found end of line"},
    {FIRST "map 0 frame 0   # and the flags?\n", 2, 17, "expected flags, found end of line"},
    {FIRST "map 0 frame 1024 flags p\n", 2, 13, "expected frame 0..1023, found '1024'"},
    {FIRST "map 0 frame 0 flags p level 4\n", 2, 29, "expected level 1..3, found '4'"},
    {FIRST "map 0 frame 0 flags p pkey 16\n", 2, 28, "expected pkey 0..15, found '16'"},
    {FIRST "map 0 frame 0 flags p,z\n", 2, 21,
     "expected flags none or, with commas, p, w, u, a, d, nx, g or pat, found 'p,z'"},
    {FIRST "map 0 frame 0 flags p,p\n", 2, 21,
     "expected flags none or, with commas, p, w, u, a, d, nx, g or pat, found 'p,p'"},
    {FIRST "map 0 frame 0 flags p,\n", 2, 21,
     "expected flags none or, with commas, p, w, u, a, d, nx, g or pat, found 'p,'"},
    {FIRST "map 0 frame 0 flags p, w\n", 2, 21,
     "expected flags none or, with commas, p, w, u, a, d, nx, g or pat, found 'p,'"},
    {FIRST "map 0 frame 0 frame 0\n", 2, 15, "'frame' given twice"},
    {FIRST "map 0 frame 0 colour 3\n", 2, 15, "expected level, flags, pkey or end of line, found 'colour'"},
    {FIRST "map 0 frame 0 flags p: 00\n", 2, 22, "expected level, pkey or end of line, found ':'"},
    {FIRST "mode pae\nmap 0x100000000 frame 0 flags p\n", 3, 5,
     "expected a number below 4 GiB in modes 2level and pae, found '0x100000000'"},
    {FIRST "mode 2level\nentry 0 level 3 set 0 mask 0\n", 3, 15,
     "expected a level that the mode has (2level: 1..2, pae: 1..3, 4level: 1..4, 5level: 1..5), found '3'"},
    {FIRST "entry 0 level 6 set 0 mask 0\n", 2, 15, "expected level 1..5, found '6'"},
    {FIRST "entry 0 level 1 set 3 mask 1\n", 2, 21,
     "expected set without bits outside mask (and of 32 bits in mode 2level), found '3'"},
    {FIRST "mode 2level\nentry 0 level 1 set 0 mask 0x100000000\n", 3, 28,
     "expected a mask of 32 bits in mode 2level, found '0x100000000'"},
    {FIRST "vma 0x1800 pages 1 prot r\n", 2, 5,
     "expected a page-aligned address, below 4 GiB in modes 2level and pae, found '0x1800'"},
    {FIRST "vma 0x1000 pages 0 prot r\n", 2, 18, "expected pages 1..16777216, found '0'"},
    {FIRST "vma 0x1000 pages 16777217 prot r\n", 2, 18, "expected pages 1..16777216, found '16777217'"},
    {FIRST "vma 0x1000 pages 1 prot rr\n", 2, 25, "expected prot none or letters of r, w or x, found 'rr'"},
    {FIRST "vma 0x1000 pages 1 prot r-x\n", 2, 25, "expected prot none or letters of r, w or x, found 'r-x'"},
    {FIRST "vma 0x1000 pages 1 prot r file 4 size 1\n", 2, 32, "expected file 0..3, found '4'"},
    {FIRST "vma 0x1000 pages 1 prot r file 1\n", 2, 33, "expected size, found end of line"},
    {FIRST "vma 0x1000 pages 1 prot r size 4\n", 2, 32, "expected pgoff and size only together with file, found '4'"},
    {FIRST "vma 0x1000 pages 1 prot r pgoff 0\n", 2, 33, "expected pgoff and size only together with file, found '0'"},
    {FIRST "vma 0x1000 pages 1 prot r pgoff 65536 size 1 file 0\n", 2, 33, "expected pgoff 0..65535, found '65536'"},
    {FIRST "vma 0x1000 pages 1 prot r shared shared\n", 2, 34, "'shared' given twice"},
    {FIRST "unmap 0x1000\n", 2, 13, "expected pages, found end of line"},
    {FIRST "unmap 0x1000 pages 1 prot r\n", 2, 22, "expected end of line, found 'prot'"},
    {FIRST "protect 0x1000 pages 1\n", 2, 23, "expected prot, found end of line"},
    {FIRST "zap 1 pages 1\n", 2, 5, "expected a page-aligned address, below 4 GiB in modes 2level and pae, found '1'"},
    {FIRST "regs ip 0 sp 0 bits 64\n", 2, 6, "expected user or kernel, found 'ip'"},
    {FIRST "mode pae\nregs user bits 64 ip 0 sp 0\n", 3, 16, "expected 16 or 32 in modes 2level and pae, found '64'"},
    {FIRST "regs user bits 8 ip 0 sp 0\n", 2, 16, "expected bits 16, 32 or 64, found '8'"},
    {FIRST "gpr rsp 1\n", 2, 5,
     "expected rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14 or r15, found 'rsp'"},
    {FIRST "mode pae\ngpr r8 1\n", 3, 5, "expected rax to rdi in modes 2level and pae, found 'r8'"},
    {FIRST "bytes 0x1000\n", 2, 13, "expected ':', found end of line"},
    {FIRST "bytes 0x1000 90\n", 2, 14, "expected ':', found '90'"},
    {FIRST "bytes 0x1000: 9\n", 2, 15, "expected a byte as two hexadecimal digits, found '9'"},
    {FIRST "bytes 0x1000: 90 0x90\n", 2, 18, "expected a byte as two hexadecimal digits, found '0x90'"},
    {FIRST "bytes 0x1000: 0x\n", 2, 15, "expected a byte as two hexadecimal digits, found '0x'"},
    {FIRST "bytes 0x1000: 90 : 90\n", 2, 18, "expected a byte as two hexadecimal digits, found ':'"},
    {FIRST "bytes 0: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n", 2, 55,
     "expected at most 15 bytes, found '0f'"},
    {FIRST "extable 0x1000\n", 2, 15, "expected fixup, found end of line"},
    {FIRST "inject oom\n", 2, 8,
     "expected lock-contended, expand-refused, mm-oom, mm-sigbus, mm-major, probe, mm-hwpoison, mm-hwpoison-large, "
     "mm-sigsegv, mm-retry, mm-retry-major, fatal-signal, yield-unmap, yield-protect, ratelimited, report-contended, "
     "kprobe or vsyscall-fault, found 'oom'"},
    {FIRST "inject mm-oom from 3\n", 2, 20, "expected from only with probe, found '3'"},
    {FIRST "inject probe from 16\n", 2, 19, "expected from 0..15, found '16'"},
    {FIRST "access reed user 0\n", 2, 8, "expected read, write or fetch, found 'reed'"},
    {FIRST "access read kernel 0\n", 2, 13, "expected user, supervisor or implicit, found 'kernel'"},
    {FIRST "access read user 0 acc\n", 2, 20, "expected ac, exec or end of line, found 'acc'"},
    {FIRST "fault 0x1000 code 4\n", 2, 7, "expected cr2, code or end of line, found '0x1000'"},
    {FIRST "fault cr2 0x1000\n", 2, 17, "expected code, found end of line"},
    {FIRST "fault cr2 0 code 0x100000000\n", 2, 18, "expected code a number 0..0xffffffff, found '0x100000000'"},
    {FIRST "exec user 0:\n", 2, 13, "expected at least 1 byte, found end of line"},
    {FIRST "exec user 0 90\n", 2, 13, "expected ':', found '90'"},
    {FIRST "exec supervisor 0: 90\n", 2, 6, "expected user or kernel, found 'supervisor'"},
    {FIRST "mode pae\ndecode 64 user: 90\n", 3, 8, "expected 16 or 32 in modes 2level and pae, found '64'"},
    {FIRST "decode user: 90\n", 2, 8, "expected 16, 32 or 64, found 'user'"},
    {FIRST "decode 32 user fetsh: 90\n", 2, 16, "expected fetch or ':', found 'fetsh'"},
    {FIRST "ioremap 0 leaves 257 frame 0 flags p\n", 2, 18, "expected leaves 1..256, found '257'"},
    {FIRST "ioremap 0 leaves 0 frame 0 flags p\n", 2, 18, "expected leaves 1..256, found '0'"},
    {FIRST "ioremap 0 flags p\n", 2, 18, "expected frame, found end of line"},
    {FIRST "mode pae\nioremap 0x100000000 frame 0 flags p\n", 3, 9,
     "expected a number below 4 GiB in modes 2level and pae, found '0x100000000'"},
    {FIRST "iounmap 0x800 pages 1\n", 2, 9,
     "expected a page-aligned address, below 4 GiB in modes 2level and pae, found '0x800'"},
    {FIRST "fork\n", 2, 5, "expected mm, found end of line"},
    {FIRST "fork mm 0\n", 2, 9, "expected mm 1..3, found '0'"},
    {FIRST "fork mm 4\n", 2, 9, "expected mm 1..3, found '4'"},
    {FIRST "fork mm none\n", 2, 9, "expected mm 1..3, found 'none'"},
    {FIRST "switch mm 4\n", 2, 11, "expected mm 0, 1, 2, 3 or none, found '4'"},
    {FIRST "switch 1\n", 2, 8, "expected mm, lag or end of line, found '1'"},
    {FIRST "switch mm 1 lagging\n", 2, 13, "expected lag or end of line, found 'lagging'"},
    {FIRST "ldt 32 bits 32\n", 2, 5, "expected 0..31, found '32'"},
    {FIRST "ldt 0 base 1\n", 2, 13, "expected bits, found end of line"},
    {FIRST "mode pae\nldt 0 bits 8\n", 3, 12, "expected bits 16, 32 or 64, found '8'"},
    {FIRST "ldt 0 bits 32 base 0x100000000\n", 2, 20, "expected base a number 0..0xffffffff, found '0x100000000'"},
    {FIRST "ldt 0 bits 32 limit 0x100000\n", 2, 21,
     "expected a limit of at most 0xfffff, or one that ends in fff, found '0x100000'"},
    {FIRST "cs 0x10000\n", 2, 4, "expected a number 0..0xffff, found '0x10000'"},
    {FIRST "cs 7 8\n", 2, 6, "expected end of line, found '8'"},
    {FIRST "touch read implicit 0\n", 2, 12, "expected user or supervisor, found 'implicit'"},
    {FIRST "touch read user 0 exec\n", 2, 19, "expected end of line, found 'exec'"},
    {FIRST "area anon 0x800 pages 1 flags none\n", 2, 11,
     "expected a page-aligned address, below 4 GiB in modes 2level and pae, found '0x800'"},
    {FIRST "area swap 0 pages 1 flags none\n", 2, 6,
     "expected anon, file, shmem, hugetlb, hugetlb-1g, device or special, found 'swap'"},
    {FIRST "area anon 0 flags none\n", 2, 23, "expected pages, found end of line"},
    {FIRST "area anon 0 pages 1\n", 2, 20, "expected flags, found end of line"},
    {FIRST "area anon 0 pages 1 flags r\n", 2, 27, AREA_FLAGS "'r'"},
    {FIRST "area anon 0 pages 1 flags shared,huge\n", 2, 27, AREA_FLAGS "'shared,huge'"},
    {FIRST "area file 0 pages 1 flags growsdown\n", 2, 27, AREA_FLAGS "'growsdown'"},
    {FIRST "area device 0 pages 1 flags pfnmap\n", 2, 29, AREA_FLAGS "'pfnmap'"},
    {FIRST "area anon 0 pages 1 flags none file 1\n", 2, 37,
     "expected file, pgoff and size only with a kind that has a file, found '1'"},
    {FIRST "area special 0 pages 1 flags none size 1\n", 2, 40,
     "expected file, pgoff and size only with a kind that has a file, found '1'"},
    {FIRST "area file 0 pages 1 flags none file 4\n", 2, 37, "expected file 0..3, found '4'"},
    {FIRST "act dontneeded 0x1000\n", 2, 5,
     "expected read, write, dontneed, munmap, mprotect, fork, exit, mlock, uffd-continue, reclaim, migrate-begin, "
     "migrate-end, hint, collapse, split-begin, split, poison, truncate, clean, device-gone, saturate, sigkill, "
     "sigkill-other, unpin, use or gate-gone, found 'dontneeded'"},
    {FIRST "act read 0x1000 prot r\n", 2, 22, "expected prot only with mprotect, found 'r'"},
    {FIRST "act read 0x1000 mm 2\n", 2, 20, "expected mm 0..1, found '2'"},
    {FIRST "act read 0x1000 at read\n", 2, 17, "expected pages, mm, prot or end of line, found 'at'"},
    {FIRST "race read 0x1000\n", 2, 17, "expected at, found end of line"},
    {FIRST "race read 0x1000 at read nth 0\n", 2, 30, "expected nth 1..255, found '0'"},
    {FIRST "race read 0x1000 at read nth 256\n", 2, 30, "expected nth 1..255, found '256'"},
    {FIRST "answer maybe at read\n", 2, 8,
     "expected refuse, sigbus, sigsegv, hwpoison, hwpoison-large, retry, retry-major, major, lazy, opposite or "
     "garbage, found 'maybe'"},
    {FIRST "answer refuse\n", 2, 14, "expected at, found end of line"},
    {FIRST "pin slow 0\n", 2, 5, "expected pin, user, fast-only, fast, fixup, dump or follow, found 'slow'"},
    {FIRST "pin user 0 pages 65536\n", 2, 18,
     "expected pages 0..65535 with pin and user, 1 with fixup, dump and follow, found '65536'"},
    {FIRST "pin dump 0 pages 2\n", 2, 18,
     "expected pages 0..65535 with pin and user, 1 with fixup, dump and follow, found '2'"},
    {FIRST "pin user 0 flags write,touch\n", 2, 18, "expected flags that the call takes, found 'write,touch'"},
    {FIRST "pin pin 0 flags numa\n", 2, 17, "expected flags that the call takes, found 'numa'"},
    {FIRST "pin user 0 nonblocking\n", 2, 12, "expected nonblocking only with pin and fixup, found 'nonblocking'"},
    {FIRST "pin fast 0 remote\n", 2, 12, "expected remote not with fast and fast-only, found 'remote'"},
    {FIRST "pin fast 0 get\n", 2, 12, "expected get only with pin, user and follow, found 'get'"},
    {FIRST "pin follow 0 vmas\n", 2, 14, "expected vmas only with pin and user, found 'vmas'"},
    {FIRST "mode pae\npin user 0x100000000\n", 3, 10,
     "expected a number below 4 GiB in modes 2level and pae, found '0x100000000'"},
    {FIRST "arch sh4\npv-flush yes\n", 3, 10, "expected no pv-flush with arch sh4, found 'yes'"},
    {FIRST "sync-all 1\n", 2, 10, "expected end of line, found '1'"},
};

static void check_bad(const struct bad *bad, size_t size)
{
    static struct fl_scenario s;
    struct fl_text_error error = {0};

    CHECK(!fl_scenario_parse(bad->text, size, &s, &error), "parsed: %s", bad->text);
    CHECK_EQ(error.line, bad->line, "%s", bad->text);
    CHECK_EQ(error.column, bad->column, "%s: %s", bad->text, error.message);
    CHECK(strcmp(error.message, bad->message) == 0, "%s\n  says     '%s'\n  expected '%s'", bad->text, error.message,
          bad->message);
    check_error_place(bad->text, size, &error);
}

static void test_bad_texts(void)
{
    static char text[2000];

    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        size_t size = strlen(bads[i].text);

        if (strstr(bads[i].message, "NUL byte") != NULL)
            size += 5; /* the rest of the line behind the NUL */
        check_bad(&bads[i], size);
    }
    /* A line of 1000 bytes is read, one of 1001 is not, be it all comment; a line end may be missing. */
    for (unsigned len = 1000; len <= 1001; len++) {
        struct fl_text_error error = {0};
        struct fl_scenario s;

        memcpy(text, FIRST, strlen(FIRST));
        memset(text + strlen(FIRST), '#', len);
        CHECK_EQ(fl_scenario_parse(text, strlen(FIRST) + len, &s, &error), len == 1000, "comment of %u bytes", len);
        text[strlen(FIRST) + len] = '\0';
        if (len > 1000) {
            text[strlen(FIRST) + 1000] = '\0'; /* too long is what it is, whatever comes behind */
            check_bad(&(struct bad){text, 2, 1001, "line longer than 1000 bytes"}, strlen(FIRST) + len);
            text[strlen(FIRST) + 1000] = '#';
        }
        if (len > 1000)
            check_bad(&(struct bad){text, 2, 1001, "line longer than 1000 bytes"}, strlen(text));
    }
}

static void test_too_many_records(void)
{
    static char text[FL_MAX_RECORDS * 20 + 100];
    static struct fl_scenario s;
    struct fl_text_error error = {0};
    size_t len = (size_t)sprintf(text, FIRST);

    for (unsigned i = 0; i < FL_MAX_RECORDS; i++)
        len += (size_t)sprintf(text + len, "zap 0x1000 pages 1\n");
    CHECK(fl_scenario_parse(text, len, &s, &error), "%s", error.message);
    CHECK_EQ(s.nrecords, FL_MAX_RECORDS, "full");
    len += (size_t)sprintf(text + len, "# not one more\n  zap 0 pages 1\n");
    check_bad(&(struct bad){text, FL_MAX_RECORDS + 3, 3, "more than 256 records"}, len);
}

/* Ways to write the same, and what they mean: the canonical text of each. */
static void test_good_texts(void)
{
    static const struct {
        const char *text, *canonical;
    } rows[] = {
        {"faultline-scenario 1", FIRST "mode 4level\n"},
        {"faultline-scenario 2", FIRST "mode 4level\n"},
        {"faultline-scenario 3", FIRST "mode 4level\n"},
        {"  faultline-scenario\t0x1 # hello\r\n\r\n \t# \x80\xff\r\nmode pae\r\n", FIRST "mode pae\n"},
        {"faultline-scenario 1\r", FIRST "mode 4level\n"},
        {FIRST "pid 0x3E8\nfamily 006\nvendor intel\n", FIRST "mode 4level\n"},
        {FIRST "ip 0X1aBcD\nmode 2level\ncode-bits 16", FIRST "mode 2level\ncode-bits 16\nip 0x1abcd\n"},
        {FIRST "code-bits 32\nseg-base 16\n", FIRST "mode 4level\ncode-bits 32\nseg-base 0x10\n"},
        {FIRST "mode pae\ncode-bits 32\n", FIRST "mode pae\n"},
        {FIRST "gpr-seed 7\nwp no\n", FIRST "mode 4level\nwp no\ngpr-seed 7\n"},
        {FIRST "mode 2level\nflags 0x20202\nsplit 1g/3g\n", FIRST "mode 2level\nsplit 1g/3g\nflags 0x20202\n"},
        {FIRST "map 4096 flags a,u,p frame 0x3#x", FIRST "mode 4level\n\nmap 0x1000 frame 3 level 1 flags p,u,a\n"},
        {FIRST "map 0 pkey 0 level 2 flags none frame 3", FIRST "mode 4level\n\nmap 0 frame 3 level 2 flags none\n"},
        {FIRST "vma 4096 growsdown prot wr pages 2", FIRST "mode 4level\n\nvma 0x1000 pages 2 prot rw growsdown\n"},
        {FIRST "vma 0 size 0 prot none pgoff 0 pages 2 file 0 pkey 1",
         FIRST "mode 4level\n\nvma 0 pages 2 prot none pkey 1 file 0 size 0\n"},
        {FIRST "regs kernel flags 2 sp 1 ip 2 bits 16",
         FIRST "mode 4level\n\nregs kernel bits 16 ip 0x2 sp 0x1 flags 0x2\n"},
        {FIRST "regs user sp 1 ip 2 bits 64", FIRST "mode 4level\n\nregs user bits 64 ip 0x2 sp 0x1 flags 0x202\n"},
        {FIRST "bytes 0x10:", FIRST "mode 4level\n\nbytes 0x10:\n"},
        {FIRST "bytes 0x10 :0F 0d\t08", FIRST "mode 4level\n\nbytes 0x10: 0f 0d 08\n"},
        {FIRST "inject probe from 0", FIRST "mode 4level\n\ninject probe\n"},
        {FIRST "inject probe from 15", FIRST "mode 4level\n\ninject probe from 15\n"},
        {FIRST "access fetch implicit 1 exec ac", FIRST "mode 4level\n\naccess fetch implicit 0x1 ac exec\n"},
        {FIRST "fault code 6 cr2 8", FIRST "mode 4level\n\nfault cr2 0x8 code 0x6\n"},
        {FIRST "decode 64 kernel fetch:", FIRST "mode 4level\n\ndecode 64 kernel fetch:\n"},
        {FIRST "arch sh4", FIRST "mode 2level\narch sh4\n"},
        {FIRST "sh4-fixed no\nmode 2level\narch sh4\npid 1000", FIRST "mode 2level\narch sh4\nsh4-fixed no\n"},
        {FIRST "in-nmi yes\nin-atomic yes", FIRST "mode 4level\nin-nmi yes\n"},
        {FIRST "in-nmi yes", FIRST "mode 4level\nin-nmi yes\n"},
        {FIRST "idt 0\nmode 2level", FIRST "mode 2level\nidt 0\n"},
        {FIRST "idt 0xfffbf000\nmode 2level", FIRST "mode 2level\n"},
        {FIRST "generation 2016\nmode pae", FIRST "mode pae\ngeneration 2016\n"},
        {FIRST "vmalloc-end 0xffffff0000000000\nvmalloc-start 0xffff800000000000",
         FIRST "mode 4level\nvmalloc-start 0xffff800000000000\nvmalloc-end 0xffffff0000000000\n"},
        {FIRST "ioremap 4096 flags w,p frame 3",
         FIRST "mode 4level\n\nioremap 0x1000 leaves 1 frame 3 level 1 flags p,w\n"},
        {FIRST "switch lag mm none", FIRST "mode 4level\n\nswitch mm none lag\n"},
        {FIRST "fork mm 0x2", FIRST "mode 4level\n\nfork mm 2\n"},
        {FIRST "ldt 0x1 bits 32", FIRST "mode 4level\n\nldt 1 bits 32 base 0 limit 0xffffffff\n"},
        {FIRST "ldt 1 limit 0x100fff bits 16", FIRST "mode 4level\n\nldt 1 bits 16 base 0 limit 0x100fff\n"},
        {FIRST "cs 15", FIRST "mode 4level\n\ncs 0xf\n"},
        {FIRST "touch fetch supervisor 4096", FIRST "mode 4level\n\ntouch fetch supervisor 0x1000\n"},
        {FIRST "sync-all # now", FIRST "mode 4level\n\nsync-all\n"},
        {FIRST "pv-flush yes\npte-special yes", FIRST "mode 4level\npv-flush yes\n"},
        {FIRST "area file 4096 size 0x10 pages 2 pgoff 0 flags may-read,r",
         FIRST "mode 4level\n\narea file 0x1000 pages 2 flags r,may-read size 16\n"},
        {FIRST "act mprotect 4096 mm 0 pages 1", FIRST "mode 4level\n\nact mprotect 0x1000\n"},
        {FIRST "race read 0 at mm-fault", FIRST "mode 4level\n\nrace read 0 at mm-fault nth 1\n"},
        {FIRST "answer lazy at mm-fault", FIRST "mode 4level\n\nanswer lazy at mm-fault nth 1\n"},
        {FIRST "pin fast 4096", FIRST "mode 4level\n\npin fast 0x1000 pages 1\n"},
        {FIRST "pin user 1 get flags force,write", FIRST "mode 4level\n\npin user 0x1 pages 1 flags write,force get\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static struct fl_scenario s;
        struct fl_text_error error = {0};
        size_t size;
        char *text;

        CHECK(fl_scenario_parse(rows[i].text, strlen(rows[i].text), &s, &error), "%s: %u:%u: %s", rows[i].text,
              error.line, error.column, error.message);
        text = print_scenario(&s, &size);
        CHECK(strcmp(text, rows[i].canonical) == 0, "%s\n  is       '%s'\n  expected '%s'", rows[i].text, text,
              rows[i].canonical);
        free(text);
    }
}

int main(void)
{
    test_good_texts();
    test_too_many_records();
    test_bad_texts();
    return check_done("scenario errors");
}
