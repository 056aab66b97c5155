#include "calc.h"
#include <stdlib.h>

char peek(const char **text) {
    while (**text == ' ') ++*text;
    return **text;
}

long number(const char **text) {
    char *end;
    long value = strtol(*text, &end, 10);
    *text = end;
    return value;
}
