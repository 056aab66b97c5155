#include "calc.h"
#include <stdio.h>

int main(int count, char **texts) {
    for (int i = 1; i < count; i++) {
        const char *text = texts[i];
        printf("%s %s%ld\n", texts[i], "= ", expression(&text));
    }
}
