#pragma once

#include "leveret/broker/broker.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/local_ptr.hpp"

#include <asio/any_io_executor.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace leveret::memory::detail {

class connection_core;

/// What a broker shares with its connections: the core, its clock and its one timer. It belongs to the
/// executor of its connections, and is free for another one while it has none.
class hub : public local_counted {
public:
    explicit hub(const leveret::broker::options& o) : core(o) {}
    virtual ~hub() = default;

    leveret::broker::broker core;

    [[nodiscard]] virtual instant now() const noexcept = 0;
    /// A connection's own state, with a timer in this environment.
    [[nodiscard]] virtual local_ptr<connection_core> make_connection(const asio::any_io_executor& executor) = 0;
    /// Sees to it that the core is told the time when something is due.
    virtual void rearm() = 0;
    virtual void stop() noexcept = 0;

    /// Before an operation. Telling the time costs more than all else of a publish, so it is told only from
    /// when on something in the broker depends on it.
    void tell_time()
    {
        if (is_timed_)
            core.tick(now());
    }
    /// After one: deadlines may have come.
    void look_at_deadlines()
    {
        if (is_timed_)
            rearm();
    }
    /// Around everything that is asked of the core: it knows the time before, and its deadlines are kept after.
    class operation {
    public:
        explicit operation(hub& h) : hub_(h) { hub_.tell_time(); }
        operation(const operation&) = delete;
        operation& operator=(const operation&) = delete;
        ~operation() { hub_.look_at_deadlines(); }

    private:
        hub& hub_;
    };
    /// A queue or a message with a time to live, or dead letters, which say when they died.
    void begin_to_be_timed()
    {
        if (!is_timed_) {
            is_timed_ = true;
            core.tick(now());
        }
    }

    /// False if connections of another executor are there.
    [[nodiscard]] bool enter(const asio::any_io_executor& executor)
    {
        if (connections_ != 0 && *executor_ != executor)
            return false;
        executor_ = executor;
        ++connections_;
        return true;
    }
    void leave() noexcept
    {
        if (--connections_ == 0) {
            stop();
            executor_.reset();
        }
    }

protected:
    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return *executor_; }
    [[nodiscard]] bool has_connections() const noexcept { return connections_ != 0; }

private:
    std::optional<asio::any_io_executor> executor_;
    std::size_t connections_ = 0;
    bool is_timed_ = false;
};

} // namespace leveret::memory::detail
