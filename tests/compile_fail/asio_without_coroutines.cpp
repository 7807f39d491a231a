// Asio before any header of ours, told to do without coroutines.
// expect: leveret: Asio was included before leveret without coroutine support
// expect: Include a leveret header first
#define ASIO_DISABLE_CO_AWAIT
#include <asio.hpp>

#include <leveret/io/config.hpp>
