#include "calc.h"

static long factor(const char **text) {
    if (peek(text) != '(') return number(text);
    ++*text;
    long value = expression(text);
    if (peek(text) == ')') ++*text;
    return value;
}

static long term(const char **text) {
    long value = factor(text);
    for (char c = peek(text); c == '*' || c == '/'; c = peek(text)) {
        ++*text;
        long right = factor(text);
        value = c == '*' ? value * right : value / right;
    }
    return value;
}

long expression(const char **text) {
    long value = term(text);
    for (char c = peek(text); c == '+' || c == '-'; c = peek(text)) {
        ++*text;
        long right = term(text);
        value = c == '+' ? value + right : value - right;
    }
    return value;
}
