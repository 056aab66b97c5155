/* What SDKs of C, C++ and Go want of the library beside assertions: all its functions are there, and coverage is not asked for. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    void *library = dlopen("/usr/lib/libvoidstar.so", RTLD_NOW);
    if (!library) {
        puts(dlerror());
        return 1;
    }
    size_t (*module)(size_t, const char *) = dlsym(library, "init_coverage_module");
    bool (*notify)(size_t) = dlsym(library, "notify_coverage");
    void (*guards)(uint32_t *, uint32_t *) = dlsym(library, "__sanitizer_cov_trace_pc_guard_init");
    void (*guard)(uint32_t *, uint64_t) = dlsym(library, "__sanitizer_cov_trace_pc_guard_internal");
    void (*data)(const char *, size_t) = dlsym(library, "fuzz_json_data");
    void (*flush)(void) = dlsym(library, "fuzz_flush");
    uint64_t (*number)(void) = dlsym(library, "fuzz_get_random");
    if (!module || !notify || !guards || !guard || !data || !flush || !number)
        return 2;
    uint32_t edges[4] = {0, 7, 7, 7};
    module(4, "coverage.sym.tsv");
    guards(edges, edges + 4);
    guard(&edges[1], 1);
    const char *line = "{\"antithesis_setup\":{\"status\":\"complete\",\"details\":{}}}";
    data(line, strlen(line));
    flush();
    printf("again %d, guard %u, random %d\n", notify(3), edges[1], number() != number());
    return 0;
}
