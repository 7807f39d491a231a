// A server of calls, for cases about those.
#pragma once

#include "conformance/conformance.hpp"
#include "interop/task.hpp"
#include "support/eventually.hpp"

#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace leveret::test {

/// A server with a channel of its own, which runs.
template <class Transport, class Wire>
struct service {
    using channel = typename Transport::channel;
    using server = lv::rpc::server<channel, Wire>;

    service() = default;
    void add_methods()
    {
        node->template add<"a", "b">("add", [](int a, int b) { return a + b; });
        node->template add<"text">("length", [](const std::string& text) -> asio::awaitable<std::size_t> {
            co_await turns(3);
            co_return text.size();
        });
        node->add("echo", [](lv::rpc::keywords k) { return std::move(k).values(); });
        node->add("context", [](const lv::rpc::request& r) { return r.context(); });
        node->add("who", [this] { return name; });
        node->template add<"what">("note", [this](std::string what) { notes.push_back(what); });
        node->template add<"kind">("fail", [](const std::string& kind) {
            if (kind == "own")
                throw lv::rpc::failure("OutOfStock", "none is left").module("shop").data({{"item", 42}}).expected();
            if (kind == "value")
                throw std::invalid_argument("not that");
            throw 42;
        });
        node->template add<"ms">("slow", [this](int ms) -> asio::awaitable<int> {
            ++slow;
            most = std::max(most, slow);
            bool was_cancelled = false;
            try {
                co_await pause(std::chrono::milliseconds(ms));
            } catch (const std::system_error&) {
                was_cancelled = true;
            }
            --slow;
            if (was_cancelled) {
                ++cancelled;
                throw std::runtime_error("cancelled");
            }
            co_return ms;
        });
        node->add("stay", [this]() -> asio::awaitable<std::string> {
            ++slow;
            if (name == "a")
                co_await pause(60s);
            co_return name;
        });
        lv::rpc::endpoint control{{.name_space = "control", .version = "2.1"}};
        control.add("ping", [] { return "pong"; });
        node->add(std::move(control));
    }

    std::string name;
    channel own;
    std::optional<server> node;
    std::optional<task<void>> run;
    std::vector<std::string> notes;
    int slow = 0, most = 0, cancelled = 0;
};

template <class Transport, class Wire>
asio::awaitable<void> open(service<Transport, Wire>& s, typename Transport::connection& connection, const std::string& topic,
                           const std::string& name, lv::rpc::server_options o = {})
{
    s.name = name;
    s.own = co_await connection.open_channel();
    s.node.emplace(s.own, lv::rpc::target_options{.topic = topic, .server = name, .version = "1.3"}, Wire(), o);
    s.add_methods();
    co_await s.node->start();
    s.run.emplace(connection.get_executor(), s.node->run());
}
template <class Transport, class Wire>
asio::awaitable<void> close(service<Transport, Wire>& s)
{
    s.node->stop();
    co_await s.run->join();
    CHECK(s.node->active() == 0);
}

/// The queues of oslo.messaging stay.
template <class Channel>
asio::awaitable<void> remove(Channel channel, std::string topic, std::string servers)
{
    co_await channel.delete_queue(topic);
    for (const char server : servers)
        co_await channel.delete_queue(topic + "." + server);
}

} // namespace leveret::test
