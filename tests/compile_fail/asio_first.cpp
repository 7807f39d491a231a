// clang with libstdc++, and Asio before any header of ours: it has built itself without coroutines.
// only: clang
// expect: leveret: Asio was included before leveret without coroutine support
#include <asio.hpp>

#include <leveret/io/config.hpp>
