// link: -ldl
// A library loaded at run time, and one that is not there.
#include "check.h"
#include <dlfcn.h>

int main(void) {
    void *library = dlopen("libm.so.6", RTLD_NOW);
    CHECK(library);
    double (*cosine)(double) = (double (*)(double))dlsym(library, "cos");
    CHECK(cosine && cosine(0.0) == 1.0);
    CHECK(!dlsym(library, "no_such_symbol"));
    CHECK(dlerror());
    CHECK(!dlopen("libdoes-not-exist.so.9", RTLD_NOW));
    CHECK_EQ(dlclose(library), 0);
    return 0;
}
