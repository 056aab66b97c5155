// The auxiliary vector: page size, entry, program headers, random bytes, no set-id.
#include "check.h"
#include <elf.h>
#include <sys/auxv.h>

extern void _start(void);

int main(void) {
    CHECK_EQ(getauxval(AT_PAGESZ), 4096);
    CHECK_EQ(getauxval(AT_UID), getuid());
    CHECK_EQ(getauxval(AT_EGID), getegid());
    CHECK_EQ(getauxval(AT_SECURE), 0);
    CHECK_EQ(getauxval(AT_CLKTCK), 100);
    CHECK_EQ(getauxval(AT_ENTRY), (unsigned long)_start);
    CHECK_STR((char *)getauxval(AT_PLATFORM), "x86_64");
    CHECK((char *)getauxval(AT_EXECFN));
    const unsigned char *random = (void *)getauxval(AT_RANDOM);
    CHECK(random);
    int zeros = 0;
    for (int i = 0; i < 16; i++) zeros += !random[i];
    CHECK(zeros < 16);
    const Elf64_Phdr *header = (void *)getauxval(AT_PHDR);
    CHECK(header);
    CHECK_EQ(getauxval(AT_PHENT), sizeof *header);
    bool load = false, stack = false;
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
        load |= header[i].p_type == PT_LOAD;
        stack |= header[i].p_type == PT_GNU_STACK;
    }
    CHECK(load && stack);
    CHECK(!getauxval(9999));
    return 0;
}
