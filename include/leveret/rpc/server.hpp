#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/core/fixed_string.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/rpc/arguments.hpp"
#include "leveret/rpc/detail/server_core.hpp"
#include "leveret/rpc/endpoint.hpp"
#include "leveret/rpc/target.hpp"
#include "leveret/rpc/wire/format.hpp"
#include "leveret/rpc/wire/plain.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace leveret::rpc {

/// Serves the methods of its endpoints, on a channel of any transport.
///
///     lv::rpc::server node{channel, {.topic = "calc", .server = "node1"}};
///     node.add("fib", [](int n) -> asio::awaitable<int> { co_return co_await fib(n); });
///     co_await node.run();
///
/// Requests to the topic go to one of its servers, in turn; those to `topic` and `server` to this one; those to all to each.
/// Handlers that are coroutines run beside each other, as many as the options allow, and are cancelled when their caller
/// gives up; others run one by one, and nothing else of this executor meanwhile.
///
/// Not copyable. Destroyed while it runs it goes on; what it refers to must not. Thread safety: the connection's executor.
template <channel Channel, wire::format Wire = wire::plain, io::environment Environment = io::asio_environment>
class server {
    using core = detail::server_core<Channel, Wire, Environment>;

public:
    /// Throws usage_error if the target has no topic or no server, or a version that is none.
    server(Channel c, const target_options& t, server_options o = {}) : server(std::move(c), t, Wire(), o) {}
    server(Channel c, const target_options& t, Wire w, server_options o = {}, Environment e = {})
    {
        if (t.topic.empty() || t.server.empty())
            throw_invalid_argument("rpc: a server's target has a topic and a server");
        if (o.concurrency == 0 || o.concurrency > 4096)
            throw_invalid_argument("rpc: concurrency must be 1 to 4096");
        core_ = local_ptr<core>(new core(std::move(c), t, w, o, std::move(e)));
    }
    server(server&&) noexcept = default;
    server& operator=(server&&) noexcept = default;

    /// Adds a method to the endpoint of the server's own namespace and version: see rpc::endpoint. Names are those of
    /// the arguments, which rpc::wire::oslo can't do without. Throws usage_error if it is there, or lacks names.
    template <fixed_string... Names, class F>
    requires(!std::is_member_function_pointer_v<std::decay_t<F>>)
    server& add(std::string_view method, F handler)
    {
        core_->endpoints.front().template add<Names...>(method, std::move(handler));
        return checked(core_->endpoints.front());
    }
    template <fixed_string... Names, class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
    server& add(std::string_view method, Member member, Object& object)
    {
        core_->endpoints.front().template add<Names...>(method, member, object);
        return checked(core_->endpoints.front());
    }
    template <described_method M, class F>
    server& add(F handler)
    {
        core_->endpoints.front().template add<M>(std::move(handler));
        return checked(core_->endpoints.front());
    }
    /// Adds an endpoint. A request goes to the first whose namespace is its own, whose version is compatible, and that
    /// has the method.
    server& add(endpoint e)
    {
        checked(e);
        core_->endpoints.push_back(std::move(e));
        return *this;
    }

    /// Is told of each request that is answered with a failure, or would be if it were no cast, before it is: for logs.
    /// It must not throw.
    server& on_failure(std::function<void(const request&, const failure&)> f)
    {
        core_->on_failure = std::move(f);
        return *this;
    }

    /// Declares the server's queues and begins to consume: requests that are made from now on are not lost. `run` does
    /// it if this did not. Throws channel_error if the broker refuses, connection_error, timeout_error.
    [[nodiscard]] asio::awaitable<void> start() { return core::start(core_); }
    /// Serves until it is cancelled or `stop` is called; then it takes no more requests, waits for the handlers that run,
    /// and completes (after a cancellation by throwing operation_cancelled). A cancellation while it waits cancels them
    /// too, and their requests go back to their queues. Throws what consumer::next throws when
    /// consumers, channel or connection ended, after the handlers were cancelled and have ended. Once only.
    [[nodiscard]] asio::awaitable<void> run() { return core::run(core_); }
    /// Asks `run` to end as soon as the handlers that run have. On the connection's executor.
    void stop() noexcept { core_->stop(); }

    /// Coroutines that run now.
    [[nodiscard]] std::size_t active() const noexcept { return core_->active(); }
    /// Requests whose handlers returned; that were answered with a failure; that were none, and were rejected; whose
    /// callers gave up.
    [[nodiscard]] std::uint64_t handled() const noexcept { return core_->handled; }
    [[nodiscard]] std::uint64_t failed() const noexcept { return core_->failed; }
    [[nodiscard]] std::uint64_t rejected() const noexcept { return core_->rejected; }
    [[nodiscard]] std::uint64_t given_up() const noexcept { return core_->given_up; }

private:
    server& checked(const endpoint& e)
    {
        if constexpr (Wire::arguments_by_name)
            if (const std::string_view method = e.method_by_position(); !method.empty())
                throw_invalid_argument("rpc: this wire format passes arguments by name, and '" + escaped(method, 64) +
                                       "' has none: add<\"a\", \"b\">(\"add\", f)");
        return *this;
    }

    local_ptr<core> core_;
};

template <class Channel>
server(Channel, const target_options&, server_options = {}) -> server<Channel>;
template <class Channel, class Wire>
requires(!std::same_as<Wire, server_options>)
server(Channel, const target_options&, Wire, server_options = {}) -> server<Channel, Wire>;
template <class Channel, class Wire, class Environment>
server(Channel, const target_options&, Wire, server_options, Environment) -> server<Channel, Wire, Environment>;

} // namespace leveret::rpc
