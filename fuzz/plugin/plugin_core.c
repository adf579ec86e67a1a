/* SPDX-License-Identifier: MIT */
/* Loading a core from a shared object, with a line for each way in which that can go wrong. */
#include <faultline/fuzz/plugin_core.h>

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define WHY_SIZE  512
#define NAME_MOST 39

__attribute__((format(printf, 2, 3))) static bool refuse(char *why, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, WHY_SIZE, format, args);
    va_end(args);
    for (char *c = why; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return false;
}

/* 1 to NAME_MOST printable characters: it stands in reports. */
static bool good_name(const char *name)
{
    size_t n = 0;

    while (name[n] >= ' ' && name[n] <= '~' && n <= NAME_MOST)
        n++;
    return n > 0 && name[n] == 0;
}

static bool check(const char *path, const struct fl_core *core, char *why)
{
    if (!core)
        return refuse(why, "%s: fl_core() answers NULL; let it answer the address of a struct fl_core", path);
    if (core->abi != FL_CORE_ABI)
        return refuse(why, "%s: core interface %u, this program has %u; rebuild it with the headers of this version",
                      path, core->abi, FL_CORE_ABI);
    if (!core->name || !good_name(core->name))
        return refuse(why, "%s: its struct fl_core has no usable name; give it one of 1 to %d printable characters",
                      path, NAME_MOST);
    return true;
}

bool plugin_core_open(const char *path, struct plugin_core *out, char why[WHY_SIZE])
{
    struct stat st;
    char in_folder[4096];
    const struct fl_core *(*entry)(void);
    void *handle, *symbol;
    const struct fl_core *core;

    if (stat(path, &st) != 0)
        return refuse(why, "%s: there is no such file; --core takes the path of a shared object", path);
    if (!S_ISREG(st.st_mode))
        return refuse(why, "%s: is not a file; --core takes the path of a shared object", path);
    /* dlopen would search the system for a name without a slash. */
    if ((size_t)snprintf(in_folder, sizeof in_folder, "%s%s", strchr(path, '/') ? "" : "./", path) >= sizeof in_folder)
        return refuse(why, "%.100s...: the path is too long", path);
    handle = dlopen(in_folder, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return refuse(why, "%s: cannot be loaded: %s; build it with -shared -fPIC, for this machine", path, dlerror());
    symbol = dlsym(handle, "fl_core");
    if (!symbol) {
        refuse(why, "%s: has no function fl_core(); export const struct fl_core *fl_core(void)", path);
        dlclose(handle);
        return false;
    }
    memcpy(&entry, &symbol, sizeof entry);
    core = entry();
    if (!check(path, core, why)) {
        dlclose(handle);
        return false;
    }
    *out = (struct plugin_core){.handle = handle, .core = core};
    return true;
}

bool plugin_core_open_scanner(const char *path, struct plugin_core *out, char why[WHY_SIZE])
{
    if (!plugin_core_open(path, out, why))
        return false;
    if (out->core->prefetch)
        return true;
    refuse(why, "%s: its struct fl_core has no prefetch; a decoder alone is enough, but that must be there", path);
    plugin_core_close(out);
    return false;
}

void plugin_core_close(struct plugin_core *plugin)
{
    dlclose(plugin->handle);
    *plugin = (struct plugin_core){0};
}
