#pragma once

#include "leveret/io/config.hpp"

#include "leveret/core/duration.hpp"

#include <asio/awaitable.hpp>

#include <algorithm>
#include <exception>
#include <vector>

namespace leveret::io {

/// Cancels consumers, all of them in the time of one, and gives what the last that failed threw. The arguments outlive it.
template <class Stream, class Clock>
[[nodiscard]] asio::awaitable<std::exception_ptr> end_streams(std::vector<Stream>& streams, Clock& clock, duration timeout)
{
    std::exception_ptr failed;
    const instant last = timeout.is_never() ? instant::never() : clock.now() + timeout;
    for (Stream& consumer : streams) {
        try {
            duration left = duration::never();
            if (last != instant::never())
                left = std::max(last - clock.now(), duration::milliseconds(1));
            co_await consumer.cancel({.timeout = left});
        } catch (...) {
            failed = std::current_exception();
        }
    }
    co_return failed;
}

} // namespace leveret::io
