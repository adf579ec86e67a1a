/* SPDX-License-Identifier: MIT */
/* Loading a core, pinning or both from a shared object, with a line for each way in which that can go wrong. */
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

/* The two vtables begin alike: an interface number and a name. */
struct vtable {
    const char *type, *interface;
    unsigned wanted;
};

static bool check_null(const char *path, const struct vtable *v, const void *table, char *why)
{
    return table ||
           refuse(why, "%s: %s() answers NULL; let it answer the address of a struct %s", path, v->type, v->type);
}

static bool check(const char *path, const struct vtable *v, unsigned abi, const char *name, char *why)
{
    if (abi != v->wanted)
        return refuse(why, "%s: %s interface %u, this program has %u; rebuild it with the headers of this version",
                      path, v->interface, abi, v->wanted);
    if (!name || !good_name(name))
        return refuse(why, "%s: its struct %s has no usable name; give it one of 1 to %d printable characters", path,
                      v->type, NAME_MOST);
    return true;
}

static bool ask_core(const char *path, struct plugin_core *out, char *why)
{
    static const struct vtable v = {"fl_core", "core", FL_CORE_ABI};
    static const struct fl_core none = {.abi = FL_CORE_ABI, .name = "none"};
    void *symbol = dlsym(out->handle, v.type);
    const struct fl_core *(*entry)(void);

    out->core = &none;
    if (!symbol)
        return true;
    memcpy(&entry, &symbol, sizeof entry);
    out->core = entry();
    if (!check_null(path, &v, out->core, why) || !check(path, &v, out->core->abi, out->core->name, why))
        return false;
    out->name = out->core->name;
    return true;
}

static bool ask_gup(const char *path, struct plugin_core *out, char *why)
{
    static const struct vtable v = {"fl_gup", "pinning", FL_GUP_ABI};
    static const struct fl_gup none = {.abi = FL_GUP_ABI, .name = "none"};
    void *symbol = dlsym(out->handle, v.type);
    const struct fl_gup *(*entry)(void);

    out->gup = &none;
    if (!symbol)
        return true;
    memcpy(&entry, &symbol, sizeof entry);
    out->gup = entry();
    if (!check_null(path, &v, out->gup, why) || !check(path, &v, out->gup->abi, out->gup->name, why))
        return false;
    if (!out->name)
        out->name = out->gup->name;
    return true;
}

bool plugin_core_open(const char *path, struct plugin_core *out, char why[WHY_SIZE])
{
    struct stat st;
    char in_folder[4096];
    struct plugin_core plugin = {0};

    if (stat(path, &st) != 0)
        return refuse(why, "%s: there is no such file; --core takes the path of a shared object", path);
    if (!S_ISREG(st.st_mode))
        return refuse(why, "%s: is not a file; --core takes the path of a shared object", path);
    /* dlopen would search the system for a name without a slash. */
    if ((size_t)snprintf(in_folder, sizeof in_folder, "%s%s", strchr(path, '/') ? "" : "./", path) >= sizeof in_folder)
        return refuse(why, "%.100s...: the path is too long", path);
    plugin.handle = dlopen(in_folder, RTLD_NOW | RTLD_LOCAL);
    if (!plugin.handle)
        return refuse(why, "%s: cannot be loaded: %s; build it with -shared -fPIC, for this machine", path, dlerror());
    if (!ask_core(path, &plugin, why) || !ask_gup(path, &plugin, why)) {
        dlclose(plugin.handle);
        return false;
    }
    if (!plugin.name) {
        refuse(why,
               "%s: has no function fl_core() and none fl_gup(); export const struct fl_core *fl_core(void), const "
               "struct fl_gup *fl_gup(void) or both",
               path);
        dlclose(plugin.handle);
        return false;
    }
    *out = plugin;
    return true;
}

bool plugin_core_open_scanner(const char *path, struct plugin_core *out, char why[WHY_SIZE])
{
    if (!plugin_core_open(path, out, why))
        return false;
    if (out->core->prefetch)
        return true;
    if (!dlsym(out->handle, "fl_core"))
        refuse(why, "%s: has no fl_core(), and that has the prefetch decoder", path);
    else
        refuse(why, "%s: its struct fl_core has no prefetch; a decoder alone is enough, but that must be there", path);
    plugin_core_close(out);
    return false;
}

void plugin_core_close(struct plugin_core *plugin)
{
    dlclose(plugin->handle);
    *plugin = (struct plugin_core){0};
}
