// The one place that knows how to configure standalone Asio. Every header of this library that
// needs Asio includes this first, so that no program has to remember a macro.
#pragma once

#if defined(ASIO_DETAIL_CONFIG_HPP) && !defined(ASIO_HAS_CO_AWAIT)
#error "leveret: Asio was included before leveret without coroutine support. Include a leveret header \
first, or compile everything with -DASIO_HAS_CO_AWAIT -DASIO_HAS_STD_COROUTINE."
#endif

// Asio up to 1.22 knows the coroutines of clang only together with libc++; with libstdc++ it has to
// be told that <coroutine> is there.
#if !defined(ASIO_HAS_CO_AWAIT)
#define ASIO_HAS_CO_AWAIT 1
#endif
#if !defined(ASIO_HAS_STD_COROUTINE)
#define ASIO_HAS_STD_COROUTINE 1
#endif
#if !defined(ASIO_STANDALONE)
#define ASIO_STANDALONE 1
#endif

// Asio looks for aligned allocation at macros of the standard library: without a standard header before it, it
// would decide otherwise here than elsewhere in the program, and free what it did not allocate.
#include <cstddef>

#include <asio/version.hpp>

#if ASIO_VERSION < 102200
#error "leveret needs Asio 1.22 or newer (Debian: libasio-dev)."
#endif
