#pragma once

#include "leveret/broker/broker_core.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/io/context_watch.hpp"
#include "leveret/transport/memory/detail/link.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace leveret::memory::detail {

class connection_core;

/// What a broker shares with its connections: the core, its clock and its one timer. All of it is used on one
/// executor, the broker's home: that of its first connection, until no connection and no delivery is left there.
/// Connections of other executors have an agent at home. When the home's execution context is destroyed, agents and
/// connections come to their end, and the broker has another home when nothing of them is held any more. What any
/// thread may call says so.
class hub : public std::enable_shared_from_this<hub>, private io::context_watch {
public:
    hub() = default;
    hub(const hub&) = delete;
    hub& operator=(const hub&) = delete;
    virtual ~hub();

    [[nodiscard]] virtual leveret::broker::broker_core& core() noexcept = 0;
    /// Any thread may call it.
    [[nodiscard]] virtual instant now() const noexcept = 0;
    /// A connection's own state, with a timer in this environment. Any thread may call it.
    [[nodiscard]] virtual local_ptr<connection_core> make_connection(const asio::any_io_executor& executor) = 0;
    /// Sees to it that the core is told the time when something is due.
    virtual void rearm() = 0;
    virtual void stop() noexcept = 0;

    /// Around everything that is asked of the core. Before, it is told the time: as that costs more than all else
    /// of a publish, only from when on something in the broker depends on it. After, deadlines are kept, and what
    /// it told to connections of other executors goes there, at the end of the turn at the latest.
    class operation {
    public:
        explicit operation(hub& h) : hub_(h)
        {
            if (hub_.is_timed_)
                hub_.core().tick(hub_.now());
        }
        operation(const operation&) = delete;
        operation& operator=(const operation&) = delete;
        ~operation()
        {
            if (hub_.is_timed_)
                hub_.rearm();
            if (!hub_.unflushed_.empty())
                hub_.flush_soon();
        }

    private:
        hub& hub_;
    };
    /// A queue or a message with a time to live, or dead letters, which say when they died.
    void begin_to_be_timed()
    {
        if (!is_timed_) {
            is_timed_ = true;
            core().tick(now());
        }
    }

    /// One more that uses the broker on its home, which `executor` becomes if it has none; false if that is another
    /// one. Any thread may call it.
    [[nodiscard]] bool enter(const asio::any_io_executor& executor)
    {
        const std::lock_guard lock(mutex_);
        if (is_home_gone_ || (users_ != 0 && *home_ != executor))
            return false;
        if (users_ == 0) {
            watch(executor);
            home_ = executor;
        }
        ++users_;
        return true;
    }
    /// A link to the home, if there is one, for a connection elsewhere, whose agent is one more that uses it. Should the
    /// home be destroyed before that agent had its first turn, the link says so. Any thread may call it.
    [[nodiscard]] std::shared_ptr<link> enter_from_elsewhere(const asio::any_io_executor& connection)
    {
        const std::lock_guard lock(mutex_);
        if (users_ == 0 || is_home_gone_)
            return nullptr;
        joining_.push_back(std::make_shared<link>(*home_, connection));
        ++users_;
        return joining_.back();
    }
    /// One fewer. The last thing that it does with the broker. On its home.
    void leave() noexcept
    {
        const std::lock_guard lock(mutex_);
        if (--users_ == 0) {
            stop();
            unwatch();
            home_.reset();
            is_home_gone_ = false;
            will_flush_ = false;
            epoch_.fetch_add(1, std::memory_order_relaxed);
        }
    }
    /// Whether the home was destroyed and somebody still holds what it left behind, which nobody else may use. Any
    /// thread may call it.
    [[nodiscard]] bool is_home_gone() noexcept
    {
        const std::lock_guard lock(mutex_);
        return is_home_gone_;
    }

    /// A session began or ended: without any no timer keeps a program running. Agents have one before the broker knows
    /// of it, and need a timer that does.
    void session_began(bool is_of_agent = false)
    {
        ++sessions_;
        if (is_of_agent && ++agents_sessions_ == 1)
            rearm();
    }
    void session_ended(bool is_of_agent = false) noexcept
    {
        agents_sessions_ -= is_of_agent ? 1 : 0;
        if (--sessions_ == 0)
            stop();
    }

    /// There is something to do for the agent of this link, which comes to be with its first wake-up.
    void wake(const std::shared_ptr<link>& l);
    /// The home's execution context was destroyed before that was done.
    void context_ends(const std::shared_ptr<link>& l) noexcept;
    void remove(agent& a) noexcept;
    void has_news(agent& a) { unflushed_.push_back(&a); }
    void flush() noexcept;
    /// Those at once whose other end sleeps or has much to hear; the others at the end of this turn of the event loop.
    void flush_soon();

protected:
    /// The home, while there are connections.
    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return *home_; }
    /// Whether a timer has somebody to work for, and where to run.
    [[nodiscard]] bool needs_timer() const noexcept { return sessions_ != 0 && !is_home_gone_; }
    /// Another one for each home: handlers of an earlier one have nothing to do any more.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool has_sessions_of_agents() const noexcept { return agents_sessions_ != 0; }
    /// For the end: no agent may outlive the core.
    void drop_agents() noexcept;

private:
    void context_ended() noexcept override;
    void make_agent(const std::shared_ptr<link>& l);
    void end(std::unique_ptr<agent> a) noexcept;

    std::mutex mutex_; // of the next four, to change them; the home reads its own without
    std::optional<asio::any_io_executor> home_;
    std::size_t users_ = 0;
    bool is_home_gone_ = false;
    std::vector<std::shared_ptr<link>> joining_; ///< those that have no agent yet
    std::atomic<std::uint64_t> epoch_{0};
    bool is_timed_ = false;
    std::size_t sessions_ = 0;
    std::size_t agents_sessions_ = 0; ///< of those
    std::vector<std::unique_ptr<agent>> agents_;
    std::vector<std::unique_ptr<agent>> dead_agents_; ///< of homes that were destroyed before their connections
    std::vector<agent*> unflushed_; ///< those with news for their connections
    bool will_flush_ = false;       ///< at the end of the turn
};

/// The handler that gives an agent its turn. One that was posted and is destroyed without having run tells that the home's
/// execution context goes away.
class agent_turn {
public:
    agent_turn(std::shared_ptr<hub> h, std::shared_ptr<link> l) noexcept : home_(std::move(h)), link_(std::move(l)) {}
    agent_turn(agent_turn&&) noexcept = default;
    agent_turn(const agent_turn&) = delete;
    agent_turn& operator=(const agent_turn&) = delete;
    agent_turn& operator=(agent_turn&&) = delete;
    ~agent_turn()
    {
        if (home_)
            home_->context_ends(link_);
    }
    void disarm() noexcept { home_ = nullptr; }
    void operator()() { std::exchange(home_, nullptr)->wake(link_); }

private:
    std::shared_ptr<hub> home_;
    std::shared_ptr<link> link_;
};

} // namespace leveret::memory::detail
