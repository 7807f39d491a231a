#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/queue_info.hpp"
#include "leveret/core/reply_code.hpp"
#include "leveret/topology/plan.hpp"
#include "leveret/topology/topology.hpp"
#include "leveret/transport/concept.hpp"
#include "leveret/typed/declare.hpp"

#include <asio/awaitable.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace leveret {

/// What a broker has otherwise than a topology says.
class topology_difference {
public:
    enum class kind : std::uint8_t {
        missing_exchange,
        missing_queue,
        different_exchange, ///< it has other properties or another type
        different_queue,    ///< it has other properties or arguments
        locked_queue,       ///< another connection's exclusive queue
        refused,            ///< the broker does not let this user look at it (403)
    };

    topology_difference(kind what, std::string name, std::string text)
        : what_(what), name_(std::move(name)), text_(std::move(text))
    {
    }

    [[nodiscard]] kind what() const noexcept { return what_; }
    /// Of the exchange or queue.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// The broker's own words, unescaped: "PRECONDITION_FAILED - inequivalent arg 'durable' for queue ...".
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    friend bool operator==(const topology_difference&, const topology_difference&) = default;
    friend std::ostream& operator<<(std::ostream& out, const topology_difference& d)
    {
        return out << escaped(d.name_) << ": " << escaped(d.text_);
    }

private:
    kind what_;
    std::string name_, text_;
};

namespace topology_detail {

/// Looks at exchanges and queues one by one. A channel ends with each difference; then another one is opened.
template <transport Transport>
class verification {
public:
    explicit verification(Transport& connection, duration timeout) noexcept
        : connection_(connection), timeout_(timeout)
    {
    }
    verification(const verification&) = delete;
    verification& operator=(const verification&) = delete;

    asio::awaitable<std::vector<topology_difference>> run(topology_view t)
    {
        for (const exchange_entry* e : t.exchanges)
            co_await look_at(*e);
        for (const queue_entry* q : t.queues)
            co_await look_at(*q);
        if (channel_)
            co_await channel_->close({.timeout = timeout_});
        co_return std::move(found_);
    }

private:
    using kind = topology_difference::kind;
    using channel_type = channel_of<Transport>;

    /// First passively, so that nothing is made, then once more with all that was said of it, which the broker
    /// compares.
    template <class Entry>
    asio::awaitable<void> look_at(const Entry& e)
    {
        if (!channel_) {
            channel_type opened = co_await connection_.open_channel({.timeout = timeout_});
            channel_.emplace(std::move(opened));
        }
        std::exception_ptr failure;
        try {
            co_await passively(e);
            co_await declarations::declare(*channel_, e, false, timeout_);
        } catch (const channel_error&) {
            failure = std::current_exception();
        }
        if (failure) {
            channel_.reset();
            note(e, failure);
        }
    }
    [[nodiscard]] asio::awaitable<void> passively(const exchange_entry& e)
    {
        exchange_options o;
        o.passive = true;
        o.timeout = timeout_;
        return channel_->declare_exchange(e.name, e.type, o);
    }
    [[nodiscard]] asio::awaitable<queue_info> passively(const queue_entry& q)
    {
        queue_options o;
        o.passive = true;
        o.timeout = timeout_;
        return channel_->declare_queue(q.name, o);
    }
    template <class Entry>
    void note(const Entry& e, const std::exception_ptr& failure)
    {
        try {
            std::rethrow_exception(failure);
        } catch (const channel_error& why) {
            const std::optional<kind> what = kind_of_difference(e, why.code());
            if (!what)
                throw;
            found_.emplace_back(*what, std::string(e.name), why.diagnostics().text);
        }
    }
    template <class Entry>
    [[nodiscard]] static std::optional<kind> kind_of_difference(const Entry&,
                                                                const std::error_code& code)
    {
        constexpr bool is_queue = std::same_as<Entry, queue_entry>;
        if (code == reply_code::not_found)
            return is_queue ? kind::missing_queue : kind::missing_exchange;
        if (code == reply_code::precondition_failed)
            return is_queue ? kind::different_queue : kind::different_exchange;
        if (code == reply_code::resource_locked)
            return kind::locked_queue;
        if (code == reply_code::access_refused)
            return kind::refused;
        return std::nullopt;
    }

    Transport& connection_;
    duration timeout_;
    std::optional<channel_type> channel_;
    std::vector<topology_difference> found_;
};

template <transport Transport>
asio::awaitable<std::vector<topology_difference>> verify_all(Transport& connection, topology_view t,
                                                             duration timeout)
{
    verification<Transport> v(connection, timeout);
    co_return co_await v.run(t);
}

} // namespace topology_detail

/// Compares a broker with a topology and returns every difference, exchanges first; nothing if there is none. It declares
/// nothing that is not there: each exchange and queue is declared passively, and if it exists, again with the topology's
/// properties, which the broker then compares. (Between the two somebody could delete it, and the second would make it.)
///
/// AMQP can't look at bindings, so this does not compare them: `declare` makes those that lack, and leaves others.
/// A broker tells of the first property that differs, not of all. RabbitMQ does not compare every argument; it restarts
/// x-expires of the queues.
///
/// Opens and closes channels of its own, since a difference ends a channel. Throws what `open_channel` and `declare_queue`
/// do for other failures, so connection_error where a type of exchange is unknown to RabbitMQ 3 (503). The connection must
/// stay until it completes.
template <a_topology T, transport Transport>
[[nodiscard]] asio::awaitable<std::vector<topology_difference>> verify(Transport& connection,
                                                                       call_options o = {})
{
    return topology_detail::verify_all(connection, topology_detail::view_of<T>(), o.timeout);
}

} // namespace leveret
