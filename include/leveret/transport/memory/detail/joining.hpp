// How connections and channels begin and end, on the broker's executor and on others.
#pragma once

#include "leveret/transport/memory/detail/asking.hpp"
#include "leveret/transport/memory/detail/channel_core.hpp"
#include "leveret/transport/memory/detail/far_events.hpp"

#include <asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leveret::memory::detail {

[[noreturn]] inline void throw_refusal(const leveret::broker::error& e, wire::method_number cause, std::uint16_t channel)
{
    throw_failure(engine::failure::of_peer(static_cast<std::uint16_t>(e.code), e.text, cause, channel),
                  wire::all_methods::name(cause), fate::refused);
}

inline void open_near(channel_core& c)
{
    const hub::operation scope(*c.connection->home);
    auto made = c.connection->session->open_channel(c);
    if (!made)
        throw_refusal(made.error(), wire::channel::open::id, c.number);
    c.ch = std::move(*made);
}

/// Something that is asked of the broker for a connection on another executor.
template <class Ask, class Told, class Missed, class IsOpen>
[[nodiscard]] asio::awaitable<void> asked_far(local_ptr<connection_core> c, wire::method_number cause, Ask ask,
                                              Told told, Missed missed, IsOpen is_open, duration timeout,
                                              std::uint16_t channel)
{
    using answer_type = std::invoke_result_t<Ask&, agent&>;
    tells<answer_type, Told> wait(*c, told);
    wait.call = new connection_call<answer_type, Ask, Missed>(std::move(ask), missed);
    wait.call->waiter = &wait;
    wait.call->cause = cause;
    c->far->call(wait.call);
    co_await await_answer(*c, wait, c->over, is_open, wire::all_methods::name(cause), c->deadline_after(timeout),
                          channel);
    if (wait.refusal)
        throw_refusal(*wait.refusal, cause, channel);
    if (!wait.is_done)
        throw_failure(c->reason, wire::all_methods::name(cause), fate::unknown);
}

[[nodiscard]] inline asio::awaitable<void> open_far(local_ptr<channel_core> c, duration timeout)
{
    const local_ptr<connection_core> connection = c->connection;
    c->is_opening = true;
    struct guard {
        channel_core& channel;
        ~guard() { channel.is_opening = false; }
    } const opens{*c};
    far_channel* there = &connection->far->add_channel();
    const auto open = [there](agent& a) { return a.open_channel(there); };
    const auto told = [&](leveret::broker::result<agent_channel*>& r) {
        there->there = *r;
        there->core = c.get();
        c->far = there;
    };
    const auto missed = [there](far_end& e, leveret::broker::result<agent_channel*>& r) {
        if (!r)
            return e.forget(*there);
        there->there = *r;
        e.end_channel(*there);
    };
    const auto is_open = [&] { return connection->is_open(); };
    co_await asked_far(connection, wire::channel::open::id, open, told, missed, is_open, timeout, c->number);
    if (!c->is_open()) // ended before this was resumed
        throw_failure(connection->is_open() ? c->reason : connection->reason, "channel.open", fate::unknown);
}

/// Joins a broker on another executor.
[[nodiscard]] inline asio::awaitable<void> join_far(local_ptr<connection_core> c, std::unique_ptr<far_end> end,
                                                    std::string virtual_host, std::string user, duration timeout)
{
    c->far = std::move(end);
    auto open = [virtual_host = std::move(virtual_host), user = std::move(user)](agent& a) {
        return a.open_session(virtual_host, user);
    };
    struct guard { // what keeps a program running while this waits
        connection_core& connection;
        ~guard()
        {
            if (!connection.is_open())
                connection.stop();
        }
    } const stops{*c};
    const auto told = [&](leveret::broker::result<bool>&) { c->opened(); };
    const auto missed = [](far_end&, leveret::broker::result<bool>&) {}; // the session ends with the connection
    const auto is_open = [&] { return c->reason.code == std::error_code(); };
    auto asked = asked_far(c, wire::connection::open::id, std::move(open), told, missed, is_open, timeout, 0);
    co_await std::move(asked);
}

/// Leaves it, and waits until the broker knows.
[[nodiscard]] inline asio::awaitable<void> close_far(local_ptr<connection_core> c, duration timeout)
{
    c->shut(connection_core::closed_by_us());
    struct guard { // from then on nothing keeps a program running any more
        connection_core& connection;
        ~guard() { connection.stop(); }
    } const stops{*c};
    const auto end = [](agent& a) -> leveret::broker::result<bool> {
        a.end_session();
        return true;
    };
    const auto told = [](leveret::broker::result<bool>&) {};
    const auto missed = [](far_end&, leveret::broker::result<bool>&) {};
    const auto is_open = [&] { return !c->far->is_over(); };
    co_await asked_far(c, wire::connection::close::id, end, told, missed, is_open, timeout, 0);
}

} // namespace leveret::memory::detail
