#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/core/deadlines.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/core/options.hpp"
#include "leveret/io/alarm.hpp"
#include "leveret/io/context_watch.hpp"
#include "leveret/io/doorbell.hpp"
#include "leveret/io/end_streams.hpp"
#include "leveret/io/stop_bell.hpp"
#include "leveret/notify/detail/handlers.hpp"
#include "leveret/notify/notification.hpp"
#include "leveret/notify/priority.hpp"
#include "leveret/oslo/recent_ids.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::notify {

/// Options of a listener.
struct listener_options {
    std::string_view exchange = "openstack";      ///< control_exchange of oslo.messaging
    std::string_view topic = "notifications";
    std::string_view pool = {};                   ///< listeners of one pool share a copy of all notifications
    bool durable = false;                         ///< amqp_durable_queues: the same at both ends
    bool allow_requeue = true;                    ///< otherwise what is to be requeued is done
    std::size_t batch_size = 1;                   ///< notifications that are handled together, 1 to 4096
    duration batch_timeout = duration::seconds(1); ///< how long one that is there waits for as many
    std::uint16_t prefetch = 0;                   ///< of each queue; 0: twice the batch, and at least 16
    duration timeout = default_timeout;           ///< for starting and stopping to consume
};
static_assert(safe_options<listener_options>);

namespace detail {

template <channel Channel, io::environment Environment>
class listener_core final : public local_counted, public io::context_watch {
    using stream = stream_of<Channel>;
    using delivery = delivery_of<stream>;
    using pointer = local_ptr<listener_core>;

public:
    listener_core(Channel c, const listener_options& o, Environment e)
        : channel(std::move(c)), exchange_(o.exchange), topic_(o.topic), pool_(o.pool), durable_(o.durable),
          allow_requeue_(o.allow_requeue), batch_size_(o.batch_size), batch_timeout_(o.batch_timeout),
          prefetch_(o.prefetch), timeout_(o.timeout), alarm_(std::move(e), channel.get_executor())
    {
        watch(channel.get_executor());
    }

    Channel channel;
    std::vector<std::unique_ptr<handler>> handlers;
    std::function<void(std::span<const notification>, const std::exception_ptr&)> on_failure;
    std::uint64_t handled = 0, requeued = 0, ignored = 0, rejected = 0;

    void stop() noexcept
    {
        end_.stop();
        if (more_ != nullptr)
            more_->ring();
    }

    static asio::awaitable<void> start(pointer s)
    {
        if (s->is_started_)
            co_return;
        co_await s->channel.declare_exchange(s->exchange_, exchange_type::topic, {.durable = s->durable_});
        std::vector<std::string> queues;
        for (const priority p : priorities) {
            const bool is_wanted = std::any_of(s->handlers.begin(), s->handlers.end(),
                                               [p](const auto& h) { return h->of() == p; });
            if (!is_wanted)
                continue;
            const std::string key = s->topic_ + "." + std::string(name(p));
            const std::string queue = s->pool_.empty() ? key : s->pool_;
            co_await s->channel.declare_queue(queue, {.durable = s->durable_});
            co_await s->channel.bind_queue(queue, s->exchange_, key, {});
            if (queues.empty() || queues.back() != queue)
                queues.push_back(queue);
        }
        consume_options o;
        o.prefetch = s->prefetch_ != 0 ? s->prefetch_ : static_cast<std::uint16_t>(std::max<std::size_t>(16, 2 * s->batch_size_));
        o.timeout = s->timeout_;
        std::vector<stream> streams;
        for (const std::string& queue : queues) {
            auto consumer = co_await s->channel.consume(queue, o);
            streams.push_back(std::move(consumer));
        }
        s->streams_ = std::move(streams); // all, or a start that failed may be tried again
        s->is_started_ = true;
    }

    static asio::awaitable<void> run(pointer s)
    {
        co_await start(s);
        // As rpc::server does it: what runs is brought to its end.
        const bool throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        io::doorbell bell(s->waits_);
        s->end_.runs_at(&bell);
        const auto ended = [s](std::exception_ptr e) {
            --s->workers_;
            if (e && !s->error_ && !s->is_abandoned_)
                s->error_ = std::move(e);
            s->stop(); // one that ended means that all must
        };
        s->workers_ = s->streams_.size() + 1;
        for (std::size_t i = 0; i < s->streams_.size(); ++i)
            asio::co_spawn(s->channel.get_executor(), read(s, i), asio::bind_cancellation_slot(s->reading_[i].slot(), ended));
        asio::co_spawn(s->channel.get_executor(), work(s), asio::bind_cancellation_slot(s->working_.slot(), ended));
        const bool cancelled = co_await io::stop_bell::wait(s->end_);
        s->stop();
        std::exception_ptr in_end = co_await io::end_streams(s->streams_, s->alarm_, s->timeout_);
        if (s->error_ || in_end)
            s->abandon(); // what is handled comes again anyway
        while (s->workers_ != 0) {
            if (co_await bell.wait() == io::wake::cancelled)
                s->abandon(); // once more: it is not waited for
        }
        s->end_.runs_at(nullptr);
        s->waiting_.clear(); // those go back to their queues
        s->streams_.clear();
        s->is_started_ = false;
        co_await asio::this_coro::throw_if_cancelled(throws);
        if (s->error_)
            std::rethrow_exception(std::exchange(s->error_, nullptr));
        if (cancelled) {
            leveret::diagnostics d;
            d.operation = "notify.listener.run";
            throw operation_cancelled(asio::error::operation_aborted, "notify.listener.run was cancelled", std::move(d));
        }
        if (in_end)
            std::rethrow_exception(in_end);
    }

private:
    struct received {
        received(delivery m, notification n) : message(std::move(m)), content(std::move(n)) {}
        delivery message;
        notification content;
        outcome result = outcome::handled;
    };
    /// The end of the time that a batch waits to be full.
    struct batch_end final : deadline_node {
        batch_end(listener_core& c, io::doorbell& b) noexcept : core(c), bell(b) {}
        ~batch_end() { core.alarm_.disarm(*this); }
        void arm() { core.alarm_.arm(*this, core.alarm_.now() + core.batch_timeout_); }
        void expired() override
        {
            has_come = true;
            bell.ring();
        }
        listener_core& core;
        io::doorbell& bell;
        bool has_come = false;
    };
    /// What the worker waits at, however its coroutine ends.
    struct more_bell {
        explicit more_bell(listener_core& c) noexcept : core(c), bell(c.waits_) { core.more_ = &bell; }
        more_bell(const more_bell&) = delete;
        more_bell& operator=(const more_bell&) = delete;
        ~more_bell() { core.more_ = nullptr; }
        listener_core& core;
        io::doorbell bell;
    };

    void context_ended() noexcept override
    {
        const pointer self(this);
        waits_.destroy_all();
        alarm_.context_ended();
        end_.runs_at(nullptr); // what waited there has gone with the context
    }
    /// What is handled is not waited for, and how its handler then ends is nobody's failure.
    void abandon()
    {
        is_abandoned_ = true;
        working_.emit(asio::cancellation_type::terminal);
        for (asio::cancellation_signal& s : reading_)
            s.emit(asio::cancellation_type::terminal);
    }
    static asio::awaitable<void> read(pointer s, std::size_t index)
    {
        while (!s->end_.must_end()) {
            auto d = co_await s->streams_[index].next();
            if (!d || s->end_.must_end())
                co_return; // one that came too late goes back to its queue
            s->take(std::move(*d));
        }
    }
    void take(delivery d)
    {
        notification n;
        try {
            const auto& p = d.properties();
            leveret::detail::check_uncoded(p.content_encoding());
            n = decode_notification(d.body(), p.content_type());
        } catch (const decode_error&) {
            ++rejected;
            d.reject();
            return;
        }
        if (seen_.contains(n.unique_id())) {
            d.ack();
            return;
        }
        if (!n.priority()) {
            ++ignored; // as oslo.messaging does
            d.ack();
            return;
        }
        waiting_.emplace_back(std::move(d), std::move(n));
        if (more_ != nullptr)
            more_->ring();
    }

    static asio::awaitable<void> work(pointer s)
    {
        more_bell more(*s);
        while (!s->end_.is_stopping()) {
            if (s->waiting_.size() < s->batch_size_) {
                batch_end end(*s, more.bell);
                while (!s->end_.is_stopping() && s->waiting_.size() < s->batch_size_ && !end.has_come) {
                    if (!end.is_armed() && !s->waiting_.empty())
                        end.arm();
                    static_cast<void>(co_await more.bell.wait());
                }
            }
            if (s->end_.is_stopping())
                break;
            std::vector<received> batch;
            while (!s->waiting_.empty() && batch.size() < s->batch_size_) {
                batch.push_back(std::move(s->waiting_.front()));
                s->waiting_.pop_front();
            }
            for (const priority p : priorities)
                co_await s->handle(batch, p);
        }
    }
    /// Those of a batch that have this priority.
    asio::awaitable<void> handle(std::vector<received>& batch, priority p)
    {
        std::vector<received*> of;
        for (received& r : batch)
            if (r.content.priority() == p)
                of.push_back(&r);
        if (of.empty())
            co_return;
        for (const std::unique_ptr<handler>& h : handlers)
            if (h->of() == p)
                co_await handle_by(*h, of);
        for (received* r : of) {
            if (r->result == outcome::requeue && allow_requeue_) {
                ++requeued;
                r->message.nack({.requeue = true});
            } else {
                ++handled;
                seen_.add(r->content.unique_id()); // one that was requeued is no duplicate
                r->message.ack();
            }
        }
    }
    /// Those that this handler wants; what another had requeued, nobody else is told of.
    asio::awaitable<void> handle_by(handler& h, std::span<received* const> of)
    {
        std::vector<received*> wanted;
        for (received* r : of)
            if (r->result != outcome::requeue && wants(h, *r))
                wanted.push_back(r);
        if (wanted.empty())
            co_return;
        if (!h.takes_batches()) {
            for (received* r : wanted)
                r->result = co_await result_of(h, std::span(&r->content, 1));
            co_return;
        }
        std::vector<notification> contents;
        for (const received* r : wanted)
            contents.push_back(r->content);
        const outcome result = co_await result_of(h, contents);
        for (received* r : wanted)
            r->result = result;
    }
    [[nodiscard]] bool wants(const handler& h, const received& r)
    {
        try {
            return h.wants(r.content);
        } catch (const std::exception&) { // a regular expression that gives up at this text
            return false;
        }
    }
    asio::awaitable<outcome> result_of(handler& h, std::span<const notification> contents)
    {
        std::exception_ptr thrown;
        try {
            co_return co_await h.run(contents);
        } catch (...) {
            thrown = std::current_exception();
        }
        if (on_failure)
            on_failure(contents, thrown);
        co_return outcome::requeue;
    }

    const std::string exchange_, topic_, pool_;
    const bool durable_, allow_requeue_;
    const std::size_t batch_size_;
    const duration batch_timeout_;
    const std::uint16_t prefetch_;
    const duration timeout_;
    io::alarm<Environment> alarm_;
    io::wait_list waits_;
    std::vector<stream> streams_;
    std::deque<received> waiting_;
    oslo::recent_ids seen_;
    io::stop_bell end_;
    asio::cancellation_signal working_;
    std::array<asio::cancellation_signal, priorities.size()> reading_;
    io::doorbell* more_ = nullptr;
    std::exception_ptr error_;
    std::size_t workers_ = 0;
    bool is_started_ = false, is_abandoned_ = false;
};

} // namespace detail

} // namespace leveret::notify
