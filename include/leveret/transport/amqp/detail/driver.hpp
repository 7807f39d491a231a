#pragma once

#include "leveret/io/context_holder.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/io/memory_slot.hpp"
#include "leveret/transport/amqp/detail/channel_core.hpp"
#include "leveret/transport/amqp/detail/connection_core.hpp"

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leveret::amqp::detail {

/// Moves bytes between a connection's engine and a stream of the environment, and keeps its one timer.
/// Plain callbacks: a read, a write, a timer and a flush at most are under way, each holds the driver.
template <io::environment Environment>
class driver final : public connection_core {
public:
    driver(Environment environment, asio::any_io_executor executor, engine::client_config config)
        : connection_core(executor, std::move(config)), environment_(std::move(environment)),
          stream_(std::in_place, environment_, executor), timer_(std::in_place, environment_, executor)
    {
    }
    ~driver() override { waits.destroy_all(); }

    [[nodiscard]] instant now() const noexcept override { return environment_.now(); }
    [[nodiscard]] Environment& environment() noexcept { return environment_; }

    /// Connects the stream; rings `bell` when done, and `open_error` tells how it went.
    void open(std::string_view host, std::uint16_t port, io::doorbell& bell)
    {
        opening_ = &bell;
        stream_->async_open(host, port, [h = hold()](std::error_code ec) mutable {
            const auto self = h.take();
            self->open_error = ec;
            if (self->opening_ != nullptr)
                std::exchange(self->opening_, nullptr)->ring();
        });
    }
    /// The one who opens does not wait any more.
    void stop_opening() noexcept
    {
        opening_ = nullptr;
        over_ = true;
        timer_->cancel();
        stream_->close();
    }
    std::error_code open_error = asio::error::in_progress;

    /// The stream is connected: starts the handshake. `bell` rings when it is over, either way.
    void start(io::doorbell& bell)
    {
        opening_ = &bell;
        started_ = true;
        engine.start(now());
        flush();
        read();
        rearm();
    }

    void schedule_flush() override
    {
        if (flush_pending_ || over_)
            return;
        flush_pending_ = flush_scheduled_ = true;
        asio::post(executor(), [h = hold()]() mutable {
            const auto self = h.take();
            self->flush_scheduled_ = false;
            self->flush_pending_ = self->writing_;
            self->flush();
        });
    }
    void flush() override
    {
        if (writing_ || over_)
            return;
        engine.flush_settlements();
        if (write_error_)
            engine.output().consume(engine.output().size());
        if (engine.output().empty()) {
            if (is_closed())
                finish();
            return;
        }
        write();
    }
    void rearm() override
    {
        if (over_)
            return;
        if (is_closed() && last_write_ == instant::never())
            last_write_ = now() + last_write_patience;
        instant next = is_closed() ? last_write_ : engine.next_deadline();
        if (write_error_ && last_write_ < next)
            next = last_write_;
        if (next >= timer_at_ && timer_at_ != instant::never())
            return;
        if (next == instant::never()) // a handler is always pending, to hear of the end of its context
            next = now() + idle_timer;
        timer_at_ = next;
        timer_->wait_until(next, [h = hold()](std::error_code ec) mutable {
            const auto self = h.take();
            if (!ec)
                self->on_timer();
        });
    }
    void resume_reading() noexcept override
    {
        read_paused_ = false;
        if (!reading_ && started_ && !over_)
            asio::post(executor(), [h = hold()]() mutable { h.take()->read(); });
    }
    void let_go() noexcept override
    {
        if (over_)
            return;
        opening_ = nullptr;
        engine.close(reply_code::success, "bye", now() + duration::seconds(5));
        closing();
    }
    [[nodiscard]] bool is_over() const noexcept override { return over_; }
    void closing() override
    {
        asio::post(executor(), [h = hold()]() mutable {
            const auto self = h.take();
            self->pump();
            self->flush();
            self->rearm();
            self->read();
        });
    }

private:
    static constexpr std::size_t max_pieces = 16;
    static constexpr duration idle_timer = duration::seconds(3600);
    /// For what is still to be written when the engine is closed, such as our answer to the server's close.
    static constexpr duration last_write_patience = duration::seconds(5);
    static constexpr duration after_write_error = duration::seconds(1);

    /// Buffers of one write, as Asio wants them: a cheap copy.
    struct pieces {
        using value_type = asio::const_buffer;
        using const_iterator = const asio::const_buffer*;
        const asio::const_buffer* first;
        const asio::const_buffer* last;
        [[nodiscard]] const_iterator begin() const noexcept { return first; }
        [[nodiscard]] const_iterator end() const noexcept { return last; }
    };

    friend class io::context_holder<local_ptr<driver>>;
    using holder = io::context_holder<local_ptr<driver>>;
    [[nodiscard]] holder hold() noexcept { return holder(this); }

    /// The handler of a read or a write, whose operation lies in memory of the driver: Asio's own cache of
    /// two blocks is left to what the user's coroutines do.
    template <class Function>
    class io_handler {
    public:
        using allocator_type = io::slot_allocator<std::byte>;

        io_handler(holder&& h, io::memory_slot& memory, Function f) noexcept
            : holder_(std::move(h)), memory_(&memory), function_(f)
        {
        }
        [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(*memory_); }
        void operator()(std::error_code ec, std::size_t n)
        {
            const auto self = holder_.take();
            function_(*self, ec, n);
        }

    private:
        holder holder_;
        io::memory_slot* memory_;
        Function function_;
    };

    void abandoned() noexcept
    {
        over_ = true;
        waits.destroy_all(); // before anything could be rung: nothing can be posted any more
        engine.input_ended(asio::error::operation_aborted, "its execution context was destroyed");
        // While Asio's services are still there: handles may keep the driver for longer than that.
        timer_.reset();
        stream_.reset();
    }

    void read()
    {
        if (!started_ || reading_ || over_ || is_closed())
            return;
        read_paused_ = !is_closing() && (!wants_input() || !wants_output());
        if (read_paused_)
            return;
        engine::read_buffer::space space{};
        try {
            space = engine.prepare();
        } catch (...) {
            fail_input();
            return flush();
        }
        reading_ = true;
        auto done = [](driver& self, std::error_code ec, std::size_t n) {
            self.reading_ = false;
            self.on_read(ec, n);
        };
        stream_->async_read_some(asio::mutable_buffer(space.data, space.size),
                                io_handler<std::decay_t<decltype(done)>>(hold(), read_memory_, done));
    }
    void on_read(std::error_code ec, std::size_t n)
    {
        if (over_)
            return;
        if (n != 0)
            engine.received(n);
        if (ec)
            engine.input_ended(ec, ec == asio::error::eof ? "the server closed the socket"
                                                          : "the connection broke: " + ec.message());
        pump();
        after_input();
    }
    void after_input()
    {
        if (engine.take_has_confirmed())
            ring_room();
        if (!writing_ && !flush_scheduled_)
            flush();
        rearm();
        read();
    }
    void write()
    {
        std::size_t count = 0;
        engine.output().for_each_piece([&](const char* data, std::size_t size) {
            buffers_[count++] = asio::const_buffer(data, size);
            return count < max_pieces;
        });
        writing_ = flush_pending_ = true;
        auto done = [](driver& self, std::error_code ec, std::size_t n) {
            self.writing_ = false;
            self.flush_pending_ = self.flush_scheduled_;
            self.on_written(ec, n);
        };
        stream_->async_write_some(pieces{buffers_, buffers_ + count},
                                 io_handler<std::decay_t<decltype(done)>>(hold(), write_memory_, done));
    }
    void on_written(std::error_code ec, std::size_t n)
    {
        if (over_)
            return;
        engine.output().consume(n);
        if (ec && !write_error_) {
            // What the server said before it closed may still be unread, and tells more than this error:
            // the read has a little time to end it all.
            write_error_ = ec;
            last_write_ = now() + after_write_error;
            rearm();
        }
        if (read_paused_ && wants_output())
            read();
        ring_room();
        flush();
    }
    void ring_room() noexcept
    {
        if (!room.empty() && engine.output().size() <= limits.output_high_water / 2)
            room.ring_all();
    }
    void on_timer()
    {
        timer_at_ = instant::never();
        if (over_)
            return;
        if (is_closed()) {
            if (now() >= last_write_)
                return finish();
        } else if (write_error_ && now() >= last_write_) {
            engine.input_ended(write_error_, "the connection broke: " + write_error_.message());
            pump();
            return finish();
        } else {
            engine.tick(now(), !reading_);
            pump();
            if (is_closed()) // our patience has ended: the other side may not even read
                return finish();
        }
        after_input();
    }

    /// Hands out everything that the engine has to tell.
    void pump() noexcept
    {
        try {
            for (;;) {
                while (const engine::event* e = engine.next_delivery())
                    static_cast<channel_core*>(e->channel)->on_delivery(*e);
                const engine::event* e = engine.next_event();
                if (e == nullptr)
                    return;
                dispatch(*e);
            }
        } catch (...) {
            fail_input();
        }
    }
    /// Within a handler of an exception: out of memory, or a user's mechanism. The connection can't go on and
    /// its users must know. If there is not even memory to tell them, the program ends.
    void fail_input() noexcept
    {
        input_error = std::current_exception();
        engine.input_ended(std::make_error_code(std::errc::not_enough_memory),
                           "a message from the server could not be handled");
        while (const engine::event* e = engine.next_event())
            dispatch(*e);
    }
    void dispatch(const engine::event& e)
    {
        using kind = engine::event::kind;
        auto* channel = static_cast<channel_core*>(e.channel);
        switch (e.what) {
        case kind::opened: ring_opening(); break;
        case kind::delivery: channel->on_delivery(e); break;
        case kind::got: channel->on_got(e); break;
        case kind::returned: channel->on_returned(e); break;
        case kind::cancelled: channel->on_cancelled(e.text); break;
        case kind::consuming_unasked: channel->on_consuming_unasked(e.text); break;
        case kind::cancel_unasked: channel->on_cancel_done(e.text); break;
        case kind::flow: room.ring_all(); break;
        case kind::blocked: blocked_reason = e.text; break;
        case kind::unblocked:
            blocked_reason.clear();
            room.ring_all();
            break;
        case kind::channel_closed: channel->on_closed(); break;
        case kind::closed: on_closed(); break;
        }
    }
    void on_closed()
    {
        ring_opening();
        for (channel_core* c : channels)
            c->on_closed();
        room.ring_all();
    }
    void ring_opening()
    {
        if (opening_ != nullptr)
            std::exchange(opening_, nullptr)->ring();
    }
    /// Whether there is room for answers to what we read. A server that makes us answer and does not read
    /// is not read either.
    [[nodiscard]] bool wants_output() const noexcept
    {
        return engine.output().size() < 4 * limits.output_high_water + 1024 * 1024;
    }
    [[nodiscard]] bool is_closing() const noexcept
    {
        return engine.current_state() == engine::client::state::closing;
    }
    [[nodiscard]] bool is_closed() const noexcept
    {
        return engine.current_state() == engine::client::state::closed;
    }
    /// The engine is closed and everything is written, or can't be: no more I/O.
    void finish() noexcept
    {
        over_ = true;
        timer_.reset(); // nothing of Asio is kept: handles may outlive the execution context
        stream_.reset();
        until_over.ring_all();
    }

    Environment environment_;
    std::optional<typename Environment::stream> stream_; // null when the execution context has gone
    std::optional<typename Environment::timer> timer_;
    instant timer_at_ = instant::never();
    instant last_write_ = instant::never();
    io::doorbell* opening_ = nullptr;
    bool started_ = false;
    bool reading_ = false;
    bool writing_ = false;
    bool flush_scheduled_ = false;
    std::error_code write_error_;
    bool over_ = false;
    asio::const_buffer buffers_[max_pieces];
    io::memory_slot read_memory_;
    io::memory_slot write_memory_;
};

} // namespace leveret::amqp::detail
