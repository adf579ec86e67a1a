/* SPDX-License-Identifier: MIT */
/*
 * Decoders out of shared objects. Nothing of the other side is believed before it was looked at: each rule of
 * decoder_plugin.h that can be checked is checked here, once, and what breaks one is refused with a line for its
 * author.
 */
#include <faultline/oracle/decode.h>

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plugin_decoder {
    struct fl_decoder base;
    const struct fl_decoder_plugin *plugin;
    void *object;  /* of dlopen */
    void *decoder; /* of the plug-in's open() */
};

/* One line, whatever the pieces are: they come from the loader and from strangers. */
__attribute__((format(printf, 2, 3))) static void say_why(char why[256], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, 256, format, args);
    va_end(args);
    for (char *at = why; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
}

/* strnlen stops in time when the terminating zero is missing. */
static bool name_is_good(const char *name)
{
    size_t n = strnlen(name, 16);

    return n >= 1 && n <= 15 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static bool version_is_good(const char *version)
{
    size_t n = strnlen(version, 16);

    for (size_t i = 0; i < n; i++)
        if (version[i] <= ' ' || version[i] > '~')
            return false;
    return n >= 1 && n <= 15;
}

/* What is wrong with it, or NULL. abi is looked at first: with another one the other fields may be anywhere. */
static const char *what_is_wrong(const struct fl_decoder_plugin *p)
{
    if (!p->modes || p->modes & ~FL_DECODES_ALL)
        return "modes must be FL_DECODES_16, _32 and _64, at least one of them and nothing else";
    if (!p->name || !name_is_good(p->name))
        return "name must be 1 to 15 of the characters a-z, 0-9 and -";
    if (!p->version || !version_is_good(p->version))
        return "version must be 1 to 15 printable characters without blanks";
    if (!p->open)
        return "open is NULL; every function must be there";
    if (!p->decode)
        return "decode is NULL; every function must be there";
    if (!p->close)
        return "close is NULL; every function must be there";
    return NULL;
}

/* What comes back is used as an index by those who count. A class or a hint that does not exist is none. */
static struct fl_decoded plugin_decode(struct fl_decoder *d, const uint8_t *bytes, size_t n, unsigned bits)
{
    struct plugin_decoder *p = (struct plugin_decoder *)d;
    struct fl_decoded out = {.cls = FL_DEC_INVALID};

    p->plugin->decode(p->decoder, bytes, n, bits, &out);
    if (out.cls >= FL_DEC_CLASS_COUNT)
        out = (struct fl_decoded){.cls = FL_DEC_INVALID};
    if (out.hint >= FL_HINT_COUNT || out.cls != FL_DEC_PREFETCH)
        out.hint = FL_HINT_NONE;
    return out;
}

static void plugin_close(struct fl_decoder *d)
{
    struct plugin_decoder *p = (struct plugin_decoder *)d;

    p->plugin->close(p->decoder);
    dlclose(p->object);
    free(p);
}

/* The plug-in's description, all rules of the header seen to; NULL with why [OUT] otherwise. */
static const struct fl_decoder_plugin *description(void *object, const char *path, char why[256])
{
    const struct fl_decoder_plugin *(*entry)(void);
    const struct fl_decoder_plugin *plugin;
    const char *wrong;

    *(void **)&entry = dlsym(object, "fl_decoder_plugin");
    if (!entry) {
        say_why(why,
                "%s: exports no fl_decoder_plugin(); is it built from a source with "
                "<faultline/oracle/decoder_plugin.h>, and the function not static?",
                path);
        return NULL;
    }
    plugin = entry();
    if (!plugin) {
        say_why(why, "%s: fl_decoder_plugin() returned NULL; it must return its description", path);
        return NULL;
    }
    if (plugin->abi != FL_DECODER_PLUGIN_ABI) {
        say_why(why, "%s: made for plug-in ABI %u, this is %u; build it again with the header of this Faultline", path,
                (unsigned)plugin->abi, FL_DECODER_PLUGIN_ABI);
        return NULL;
    }
    wrong = what_is_wrong(plugin);
    if (!wrong && entry() != plugin)
        wrong = "fl_decoder_plugin() must return the same pointer at each call";
    if (wrong) {
        say_why(why, "%s: %s", path, wrong);
        return NULL;
    }
    return plugin;
}

struct fl_decoder *fl_plugin_open(const char *path, char why[256])
{
    struct plugin_decoder *p;
    void *object;

    if (!*path) {
        /* To dlopen that is the running program. */
        say_why(why, "%s: cannot be loaded: the name is empty", path);
        return NULL;
    }
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        /* The loader's line names the file, but for some errors the library that it needs instead. */
        const char *reason = dlerror();
        size_t n = strlen(path);

        if (!reason)
            reason = "the loader gives no reason";
        if (strncmp(reason, path, n) == 0 && reason[n] == ':')
            reason += n + 1 + strspn(reason + n + 1, " ");
        say_why(why, "%s: cannot be loaded: %s%s", path, reason,
                strchr(path, '/') ? "" : " (without a slash it is searched for like a library: write ./ before it)");
        return NULL;
    }
    p = calloc(1, sizeof(*p));
    if (!p) {
        say_why(why, "%s: out of memory", path);
        dlclose(object);
        return NULL;
    }
    p->object = object;
    p->plugin = description(object, path, why);
    if (p->plugin) {
        char reason[256] = "";

        p->decoder = p->plugin->open(reason);
        reason[sizeof(reason) - 1] = 0;
        if (!p->decoder)
            say_why(why, "%s: %s %s does not open: %s", path, p->plugin->name, p->plugin->version,
                    *reason ? reason : "it gives no reason");
    }
    if (!p->decoder) {
        dlclose(object);
        free(p);
        return NULL;
    }
    p->base = (struct fl_decoder){p->plugin->name, p->plugin->version, p->plugin->modes, plugin_decode, plugin_close};
    return &p->base;
}
