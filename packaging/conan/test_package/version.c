#include <fjord/c.h>

#include <stdio.h>

int main(void) { return puts(fjord_version()) < 0; }
