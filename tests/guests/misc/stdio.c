// The C library's files: buffers at exit and at fork, popen's friends, temporary files, seeks.
#include "check.h"

int main(void) {
    enter_tmp();
    FILE *file = fopen("f", "w+");
    CHECK(file);
    CHECK(fprintf(file, "line %d\n", 1) == 7);
    pid_t pid;
    CHILD(pid) {
        // fork_child has flushed, so the child has nothing to write a second time.
        fprintf(file, "child\n");
        fflush(file);
    }
    CHECK_EXIT(pid, 0);
    rewind(file);
    char line[32];
    CHECK(fgets(line, sizeof line, file));
    CHECK_STR(line, "line 1\n");
    CHECK(fgets(line, sizeof line, file));
    CHECK_STR(line, "child\n");
    CHECK_EQ(fseek(file, 5, SEEK_SET), 0);
    CHECK_EQ(fgetc(file), '1');
    fclose(file);
    CHILD(pid) {
        file = fopen("g", "w");
        fputs("kept in the buffer", file);
        exit(0);  // Writes it out.
    }
    CHECK_EXIT(pid, 0);
    char text[64];
    read_file("g", text, sizeof text);
    CHECK_STR(text, "kept in the buffer");
    file = tmpfile();
    CHECK(file && fputs("x", file) >= 0);
    fclose(file);
    CHECK(!fopen("/nonexistent/f", "r"));
    CHECK_EQ(errno, ENOENT);
    return 0;
}
