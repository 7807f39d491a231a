#pragma once

#include "leveret/core/deadlines.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/io/context_holder.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/io/memory_slot.hpp"
#include "leveret/server/detail/session.hpp"

#include <asio/buffer.hpp>
#include <asio/error.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leveret::broker::server_detail {

template <io::listening_environment Environment, class Core>
class server_state;

/// A session with its socket: a read and a write at most are under way, each holds the link. The server's timer
/// is its timer.
template <io::listening_environment Environment, class Core>
class link final : public session, private deadline_node {
public:
    using stream_type = typename Environment::stream;

    link(local_ptr<server_state<Environment, Core>> owner, std::unique_ptr<stream_type> stream,
         io::peer_address peer)
        : session(*owner, peer.is_loopback, owner->now()), owner_(std::move(owner)),
          stream_(std::move(stream)), peer_(std::move(peer))
    {
    }
    ~link() { finish(); }

    [[nodiscard]] const io::peer_address& peer() const noexcept { return peer_; }

    void start()
    {
        rearm();
        read();
    }
    /// Ends it now, with whatever is unsaid.
    void finish() noexcept
    {
        if (over_)
            return;
        over_ = true;
        end();
        if (owner_->observer != nullptr)
            owner_->observer->disconnected(this->number, engine.reason());
        owner_->deadlines().disarm(*this);
        stream_.reset();
        owner_->remove(*this); // may be the end of us
    }
    void abandoned() noexcept { finish(); }

private:
    friend class server_state<Environment, Core>;
    static constexpr std::size_t max_pieces = 16;
    /// Whether its peer can prove who it is, as with TLS; known with the first read.
    static constexpr bool has_peer_name = requires(const stream_type& s) {
        { s.peer_name() } -> std::same_as<std::string>;
    };
    /// For what is still to be written when all else is over.
    static constexpr duration last_write_patience = duration::seconds(5);

    /// Buffers of one write, as Asio wants them: a cheap copy.
    struct pieces {
        using value_type = asio::const_buffer;
        using const_iterator = const asio::const_buffer*;
        const asio::const_buffer* first;
        const asio::const_buffer* last;
        [[nodiscard]] const_iterator begin() const noexcept { return first; }
        [[nodiscard]] const_iterator end() const noexcept { return last; }
    };
    /// The handler of a read or a write, whose operation lies in memory of the link.
    template <class Function>
    class handler {
    public:
        using allocator_type = io::slot_allocator<std::byte>;
        handler(link& l, io::memory_slot& memory, Function f) noexcept
            : holder_(&l), memory_(&memory), function_(f)
        {
        }
        [[nodiscard]] allocator_type get_allocator() const noexcept
        {
            return allocator_type(*memory_);
        }
        void operator()(std::error_code ec, std::size_t n)
        {
            const auto self = holder_.take();
            function_(*self, ec, n);
        }
        void operator()(std::error_code ec) { (*this)(ec, 0); }

    private:
        io::context_holder<local_ptr<link>> holder_;
        io::memory_slot* memory_;
        Function function_;
    };

    void read()
    {
        if (reading_ || over_ || engine.is_closed())
            return;
        if (engine.is_open() && !wants_input())
            return; // until output is written, or memory is no longer low
        engine::read_buffer::space space{};
        try {
            space = engine.prepare();
        } catch (const std::bad_alloc&) {
            return give_up("out of memory");
        }
        reading_ = true;
        const auto done = [](link& self, std::error_code ec, std::size_t n) {
            self.reading_ = false;
            self.on_read(ec, n);
        };
        stream_->async_read_some(asio::mutable_buffer(space.data, space.size),
                                 handler<std::decay_t<decltype(done)>>(*this, read_memory_, done));
    }
    void on_read(std::error_code ec, std::size_t n)
    {
        if (over_)
            return;
        if (std::exchange(is_resting_, false) && ec == asio::error::operation_aborted && n == 0)
            return rest();
        owner_->tell_time();
        watch();
        if constexpr (has_peer_name)
            if (!std::exchange(has_begun_, true) && !ec)
                this->identify(stream_->peer_name());
        if (n != 0)
            engine.received(n);
        if (ec)
            engine.input_ended(ec == asio::error::eof ? "client unexpectedly closed TCP connection"
                                                      : "the connection broke: " + ec.message());
        after_input();
    }
    void after_input()
    {
        pump();
        rearm();
        owner_->rearm();
        read();
    }
    void flush() noexcept override
    {
        if (writing_ || over_)
            return;
        if (engine.output().empty()) {
            if (engine.is_closed())
                return finish();
            if (engine.has_input() && wants_input()) { // memory is no longer low: what is here already
                owner_->tell_time();
                return after_input();
            }
            return read();
        }
        std::size_t count = 0;
        engine.output().for_each_piece([&](const char* data, std::size_t size) {
            buffers_[count++] = asio::const_buffer(data, size);
            return count < max_pieces;
        });
        writing_ = true;
        write_began_ = owner_->now();
        watch();
        const auto done = [](link& self, std::error_code ec, std::size_t n) {
            self.writing_ = false;
            self.on_written(ec, n);
        };
        stream_->async_write_some(
            pieces{buffers_, buffers_ + count},
            handler<std::decay_t<decltype(done)>>(*this, write_memory_, done));
    }
    void on_written(std::error_code ec, std::size_t n)
    {
        if (over_)
            return;
        engine.output().consume(n);
        if (ec)
            return give_up("the connection broke: " + ec.message());
        if (is_held_up()) {
            owner_->tell_time();
            output_drained();
            rearm();
            owner_->rearm();
        }
        if (!engine.output().empty() || engine.is_closed())
            flush(); // or the end
        read();
    }
    void give_up(std::string_view why) noexcept
    {
        engine.input_ended(why);
        pump();
        finish();
    }
    /// Something moves: from time to time there is a look at how it goes. One moment is set for many reads and
    /// writes. The server has room for the deadlines of all links.
    void watch() noexcept
    {
        was_used_ = true;
        if (look_at_ != instant::never())
            return;
        try {
            look_at_ = owner_->now() + owner_->limits.buffers_kept;
            rearm();
            owner_->rearm();
        } catch (const std::bad_alloc&) {
            look_at_ = instant::never(); // the next time that something moves
        }
    }
    /// A client that takes nothing for too long is cut, and one with which nothing happens gets along without
    /// buffers.
    void look(instant now)
    {
        look_at_ = instant::never();
        const duration patience = owner_->limits.send_timeout;
        const instant due = writing_ ? write_began_ + patience : instant::never();
        if (due <= now) {
            if constexpr (requires { stream_->abort(); })
                stream_->abort(); // or the system goes on trying to send it
            return give_up("the client took none of its output for " +
                           std::to_string(patience.count_ms()) + " ms");
        }
        if (writing_ || std::exchange(was_used_, false)) {
            const instant next = now + owner_->limits.buffers_kept;
            look_at_ = next < due ? next : due;
            return;
        }
        if (!reading_)
            engine.release_spare();
        if constexpr (io::waiting_stream<stream_type>) {
            if (reading_ && !is_waiting_) {
                is_resting_ = true;
                stream_->cancel();
            }
        }
    }
    /// Waits for input without a place to put it.
    void rest()
    {
        engine.release_spare();
        if constexpr (io::waiting_stream<stream_type>) {
            reading_ = is_waiting_ = true;
            const auto done = [](link& self, std::error_code, std::size_t) {
                self.reading_ = self.is_waiting_ = false;
                self.read(); // and hears of an error, if it is one
            };
            stream_->async_wait_input(
                handler<std::decay_t<decltype(done)>>(*this, read_memory_, done));
        }
    }
    /// The next moment at which there is something to do.
    void rearm()
    {
        if (over_)
            return;
        instant next = engine.next_deadline() < look_at_ ? engine.next_deadline() : look_at_;
        if (engine.is_closed()) {
            if (last_write_ == instant::never())
                last_write_ = owner_->now() + last_write_patience;
            next = last_write_;
        }
        if (next != deadline() || !is_armed())
            owner_->deadlines().arm(*this, next);
    }
    void expired() override
    {
        const local_ptr<link> self(this); // finish() may be the end of us
        const instant now = owner_->now();
        if (engine.is_closed() && now >= last_write_)
            return finish();
        if (now >= engine.next_deadline()) {
            engine.tick(now, !reading_);
            pump();
        }
        if (now >= look_at_ && !engine.is_closed())
            look(now);
        rearm();
    }

    local_ptr<server_state<Environment, Core>> owner_;
    std::unique_ptr<stream_type> stream_;
    io::peer_address peer_;
    std::size_t place_ = 0; // in the server's list
    bool reading_ = false;
    bool writing_ = false;
    bool is_waiting_ = false; // for input, rather than reading
    bool is_resting_ = false; // the read is being stopped
    bool was_used_ = false;   // since the last look
    bool over_ = false;
    instant write_began_;
    instant look_at_ = instant::never();
    bool has_begun_ = false;
    instant last_write_ = instant::never();
    asio::const_buffer buffers_[max_pieces];
    io::memory_slot read_memory_;
    io::memory_slot write_memory_;
};

} // namespace leveret::broker::server_detail
