#pragma once

// The next character that is no blank, without taking it.
char peek(const char **text);
// Takes a number.
long number(const char **text);
// The value of a whole expression.
long expression(const char **text);
