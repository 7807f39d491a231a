// expect: only io/ knows the system
#pragma once
#include <sys/types.h>
