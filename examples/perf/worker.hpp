#pragma once

#include "counts.hpp"
#include "options.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace perf {

namespace lv = leveret;

/// One side of the load, on a connection of its own: open, then subscribe, then all loops at once, then
/// close, which ends loops that still wait.
class worker {
public:
    worker() = default;
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    virtual ~worker() = default;

    [[nodiscard]] virtual asio::awaitable<void> open() = 0;
    [[nodiscard]] virtual asio::awaitable<void> subscribe() { co_return; }
    [[nodiscard]] virtual std::size_t loops() const { return 1; }
    [[nodiscard]] virtual asio::awaitable<void> run(std::size_t loop) = 0;
    /// Before the connection is closed: tells the broker what it has not been told yet.
    virtual void settle() {}
    /// Waits until the broker has read what was published, but not for ever.
    [[nodiscard]] asio::awaitable<void> close()
    {
        return connection_.close({.timeout = lv::duration::seconds(10)});
    }

    /// Whether the run lasts until its loop has ended.
    [[nodiscard]] virtual bool is_source() const { return false; }
    [[nodiscard]] virtual counts counted() const { return {}; }
    [[nodiscard]] bool is_blocked() const { return connection_.is_blocked(); }

protected:
    /// A load tool waits for the broker for as long as it takes; its user has Ctrl-C.
    static constexpr lv::publish_options patient{.timeout = lv::duration::never()};

    [[nodiscard]] asio::awaitable<void> connect(const options& o, std::string name)
    {
        lv::amqp::connect_options how;
        how.connection_name = name;
        connection_ = co_await lv::amqp::connect(o.uri, how);
    }

    lv::amqp::connection connection_;
};

/// The part that worker `i` of `n` has of `total` messages; no limit if that is 0.
[[nodiscard]] constexpr std::uint64_t share_of(std::uint64_t total, std::uint64_t i, std::uint64_t n)
{
    if (total == 0)
        return std::numeric_limits<std::uint64_t>::max();
    return total / n + (i < total % n ? 1 : 0);
}

} // namespace perf
