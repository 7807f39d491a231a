#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/io/alarm.hpp"
#include "leveret/io/context_watch.hpp"
#include "leveret/io/doorbell.hpp"
#include "leveret/io/end_streams.hpp"
#include "leveret/io/stop_bell.hpp"
#include "leveret/oslo/identity.hpp"
#include "leveret/oslo/recent_ids.hpp"
#include "leveret/rpc/detail/answer.hpp"
#include "leveret/rpc/detail/dispatch.hpp"
#include "leveret/rpc/detail/failure_of.hpp"
#include "leveret/rpc/detail/received.hpp"
#include "leveret/rpc/detail/server_queues.hpp"
#include "leveret/rpc/detail/task.hpp"
#include "leveret/rpc/endpoint.hpp"
#include "leveret/rpc/request.hpp"
#include "leveret/rpc/server_options.hpp"
#include "leveret/rpc/target.hpp"
#include "leveret/rpc/wire/format.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace leveret::rpc {

namespace detail {

template <channel Channel, wire::format Wire, io::environment Environment>
class server_core final : public local_counted, public io::context_watch, public task_owner {
    using stream = stream_of<Channel>;
    using delivery = delivery_of<stream>;
    using pointer = local_ptr<server_core>;

public:
    server_core(Channel c, const target_options& t, Wire w, server_options o, Environment e)
        : channel(std::move(c)), wire(w), of(t), options(o), alarm_(std::move(e), channel.get_executor()),
          identity_(alarm_.environment_of().random())
    {
        endpoints.emplace_back(t);
        before_ = (o.acknowledge == acknowledge::by_format ? Wire::acknowledgement : o.acknowledge) == acknowledge::before;
        watch(channel.get_executor());
    }

    Channel channel;
    Wire wire;
    const target of;
    const server_options options;
    std::vector<endpoint> endpoints;
    std::function<void(const request&, const failure&)> on_failure;
    std::uint64_t handled = 0, failed = 0, rejected = 0, given_up = 0;

    [[nodiscard]] std::size_t active() const noexcept { return active_; }
    [[nodiscard]] bool is_started() const noexcept { return is_started_; }
    void stop() noexcept
    {
        end_.stop();
        ring_readers();
    }

    /// Declares what a server has, and begins to consume.
    static asio::awaitable<void> start(pointer s)
    {
        if (s->is_started_)
            co_return;
        const std::array<std::string, 3> all = {s->of.topic(), s->of.topic() + "." + s->of.server(),
                                                s->wire.fanout_queue(s->of, s->identity_.next())};
        co_await declare_server_queues(s->channel, s->wire, s->of, all);
        s->fanout_queue_ = all[2];
        consume_options o;
        o.prefetch = s->options.prefetch != 0 ? s->options.prefetch
                                              : static_cast<std::uint16_t>(s->options.concurrency);
        o.timeout = s->options.timeout;
        std::vector<stream> streams;
        for (const std::string& queue : all) {
            auto consumer = co_await s->channel.consume(queue, o);
            streams.push_back(std::move(consumer));
        }
        s->streams_ = std::move(streams); // all, or a start that failed may be tried again
        s->is_started_ = true;
    }

    static asio::awaitable<void> run(pointer s)
    {
        co_await start(s);
        // What runs is brought to its end, whatever happens to this coroutine, whose state of cancellation stays the
        // caller's.
        const bool throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        io::doorbell bell(s->waits_);
        s->end_.runs_at(&bell);
        for (std::size_t i = 0; i < s->streams_.size(); ++i) {
            ++s->readers_;
            asio::co_spawn(s->channel.get_executor(), read(s, i),
                           asio::bind_cancellation_slot(s->reading_[i].slot(),
                                                        [s](std::exception_ptr e) { s->reader_ended(std::move(e)); }));
        }
        bool cancelled = co_await io::stop_bell::wait(s->end_);
        s->ring_readers();
        std::exception_ptr in_end = co_await io::end_streams(s->streams_, s->alarm_, s->options.timeout);
        if (s->error_ || in_end)
            s->abandon(); // they can't be answered
        while (s->readers_ != 0 || s->active_ != 0) {
            if (co_await bell.wait() == io::wake::cancelled) {
                cancelled = true; // once more
                s->abandon();
            }
        }
        s->is_abandoned_ = false;
        s->end_.runs_at(nullptr);
        s->streams_.clear();
        s->is_started_ = false;
        if (!s->error_ && !in_end) {
            try {
                co_await s->channel.delete_queue(s->fanout_queue_, {.timeout = s->options.timeout});
            } catch (...) {
                in_end = std::current_exception();
            }
        }
        co_await asio::this_coro::throw_if_cancelled(throws);
        if (s->error_)
            std::rethrow_exception(std::exchange(s->error_, nullptr));
        if (cancelled) {
            leveret::diagnostics d;
            d.operation = "rpc.server.run";
            throw operation_cancelled(asio::error::operation_aborted, "rpc.server.run was cancelled", std::move(d));
        }
        if (in_end)
            std::rethrow_exception(in_end);
    }

private:
    /// What runs is cancelled, and its requests go back to their queues.
    void abandon()
    {
        is_abandoned_ = true;
        tasks_.abandon_all();
        for (asio::cancellation_signal& s : reading_)
            s.emit(asio::cancellation_type::terminal);
    }
    void context_ended() noexcept override
    {
        const pointer self(this);
        waits_.destroy_all();
        alarm_.context_ended();
        end_.runs_at(nullptr); // what waited there has gone with the context
        full_ = {};
    }
    void ring_readers() noexcept
    {
        for (io::doorbell* b : full_)
            if (b != nullptr)
                b->ring();
    }
    void reader_ended(std::exception_ptr e) noexcept
    {
        --readers_;
        if (e && !error_ && !is_abandoned_)
            error_ = std::move(e);
        stop(); // one that ended means that all must
    }
    static asio::awaitable<void> read(pointer s, std::size_t index)
    {
        io::doorbell room(s->waits_);
        answer a;
        std::size_t burst = 0;
        while (!s->end_.must_end()) {
            std::optional<delivery> d;
            if (++burst < max_burst) {
                d = s->streams_[index].try_next();
            } else {
                burst = 0;
                co_await asio::post(s->channel.get_executor(), asio::use_awaitable);
            }
            if (!d)
                d = co_await s->streams_[index].next();
            if (!d || s->end_.must_end())
                co_return; // a request that came too late goes back to its queue
            while (s->active_ >= s->options.concurrency && !s->end_.must_end()) {
                s->full_[index] = &room;
                static_cast<void>(co_await room.wait());
                s->full_[index] = nullptr;
            }
            if (s->end_.must_end())
                co_return;
            a.is_wanted = false;
            if (!s->begin(*d, a))
                continue;
            bool is_done = !a.is_wanted || s->try_send(a);
            if (!is_done)
                is_done = co_await send_later(s, a);
            if (!s->before_ && is_done)
                d->ack();
            if (a.what.body().size() > kept_size)
                a = answer();
        }
    }

    /// Whether the request was done, and what is to be answered; false if it is a task's, or nobody's.
    bool begin(delivery& d, answer& a)
    {
        std::optional<request> asked;
        try {
            asked.emplace([&] { return with_received<Wire, received::request>(
                                    d, [this](const wire::received_message& m) { return wire.decode_request(m); }); },
                          &now_of, this, d.redelivered());
        } catch (const decode_error&) {
            ++rejected;
            d.reject();
            return false;
        }
        request& r = *asked;
        if (before_)
            d.ack();
        if constexpr (Wire::remembers_requests) {
            if (seen_.contains(r.parts().unique_id)) {
                d.ack();
                return false;
            }
            seen_.add(r.parts().unique_id);
        }
        if (!r.parts().wrong.empty()) {
            answer_failure(a, r, failure(failure_kind::invalid_arguments, "invalid_arguments", r.parts().wrong));
            return true;
        }
        bool is_served = false;
        handler* const method = find_handler(endpoints, r.parts(), is_served);
        if (method != nullptr && method->is_coroutine()) {
            begin_task(d, std::move(r), *method);
            return false;
        }
        if (method == nullptr) {
            answer_failure(a, r, refusal(r.parts(), is_served));
            return true;
        }
        std::exception_ptr thrown;
        json result;
        try {
            result = method->call(r, r.parts().arguments);
        } catch (...) {
            thrown = std::current_exception();
        }
        finish(a, r, result, thrown);
        return true;
    }
    void begin_task(delivery& d, request&& r, handler& method)
    {
        const local_ptr<task<delivery>> t(new task<delivery>(*this, tasks_, std::move(r), method));
        if (!before_)
            t->delivery.emplace(std::move(d));
        t->watch(t->asked.deadline(), beat_interval(t->asked.parts()));
        ++active_;
        const pointer self(this);
        asio::co_spawn(channel.get_executor(), work(self, t),
                       asio::bind_cancellation_slot(t->signal.slot(), [self, t](std::exception_ptr e) {
                           --self->active_;
                           if (e && !self->error_ && !t->has_given_up) {
                               self->error_ = std::move(e);
                               self->end_.stop();
                           }
                           if (self->end_.is_stopping())
                               self->end_.ring();
                           self->ring_readers();
                       }));
    }
    static asio::awaitable<void> work(pointer s, local_ptr<task<delivery>> t)
    {
        std::exception_ptr thrown;
        json result;
        try {
            result = co_await t->method.run(t->asked, t->asked.parts().arguments);
        } catch (...) {
            thrown = std::current_exception();
        }
        t->unwatch();
        if (t->is_abandoned)
            co_return; // unacknowledged: it goes back to its queue
        bool is_done = true;
        if (t->has_given_up) {
            ++s->given_up;
        } else {
            answer a;
            s->finish(a, t->asked, result, thrown);
            is_done = !a.is_wanted || s->try_send(a);
            if (!is_done)
                is_done = co_await send_later(s, a);
        }
        if (t->delivery && is_done)
            t->delivery->ack();
    }

    void finish(answer& a, const request& r, const json& result, const std::exception_ptr& thrown)
    {
        if (thrown) {
            answer_failure(a, r, failure_of(thrown));
            return;
        }
        ++handled;
        if (!r.is_call())
            return;
        try {
            a.what.properties().clear();
            wire.encode_result(r.parts(), unique(), result, a.what);
            a.address_to(r);
        } catch (const usage_error& e) {
            answer_failure(a, r, failure("leveret::usage_error", e.what()));
        }
    }
    void answer_failure(answer& a, const request& r, const failure& f)
    {
        ++failed;
        if (on_failure)
            on_failure(r, f);
        if (!r.is_call())
            return;
        a.what.properties().clear();
        wire.encode_failure(r.parts(), unique(), f, a.what);
        a.address_to(r);
    }
    /// False if it must wait. An answer that can't be sent, for it has no valid address, is dropped.
    [[nodiscard]] bool try_send(const answer& a)
    {
        try {
            return channel.try_publish("", a.to, a.what, {});
        } catch (const usage_error&) {
            return true;
        }
    }
    /// Waits for as long as its caller does, which may be long when the broker takes no messages; a server that is to end
    /// waits no longer than its own timeout. False if the request goes back for that.
    static asio::awaitable<bool> send_later(pointer s, const answer& a)
    {
        for (bool is_late = false; !is_late;) {
            duration patience = s->options.timeout;
            if (a.deadline != instant::never())
                patience = std::min(patience, std::max(a.deadline - s->alarm_.now(), duration::milliseconds(1)));
            try {
                auto sending = s->channel.publish("", a.to, a.what, {.timeout = patience});
                co_await std::move(sending);
                co_return true;
            } catch (const timeout_error&) {
                is_late = a.deadline <= s->alarm_.now();
            } catch (const usage_error&) { // as try_send
                co_return true;
            }
            if (!is_late && s->end_.is_stopping())
                co_return false;
        }
        ++s->given_up; // nobody waits for it any more
        co_return true;
    }

    [[nodiscard]] std::string unique()
    {
        if constexpr (Wire::remembers_requests)
            return identity_.next();
        else
            return {};
    }

    void say_at_work(const request& r) noexcept override
    {
        try {
            if (r.is_call()) {
                message m;
                wire.encode_at_work(r.parts(), unique(), m);
                static_cast<void>(channel.try_publish("", r.parts().reply_to, m, {}));
            }
        } catch (...) { // the channel ended, which its readers tell; or the address is none
        }
    }
    instant time() const noexcept override { return alarm_.now(); }
    void set(deadline_node& node, instant at) override { alarm_.arm(node, at); }
    void unset(deadline_node& node) noexcept override { alarm_.disarm(node); }
    static instant now_of(const void* s) { return static_cast<const server_core*>(s)->time(); }

    mutable io::alarm<Environment> alarm_;
    oslo::identity identity_;
    io::wait_list waits_;
    task_list tasks_;
    std::vector<stream> streams_;
    std::string fanout_queue_;
    std::array<io::doorbell*, 3> full_{};
    std::array<asio::cancellation_signal, 3> reading_;
    oslo::recent_ids seen_;
    io::stop_bell end_;
    std::exception_ptr error_;
    std::size_t readers_ = 0, active_ = 0;
    bool before_ = false, is_started_ = false, is_abandoned_ = false;
};

} // namespace detail

} // namespace leveret::rpc
